"""Pseudo ground truth of tags, adaptive or the best of each."""

from pathlib import Path
from typing import Any

import pytest
import torch

from stages.methods.kit import Kit
from stages.methods.refiners import adaptive_pgt, top1_pgt
from stages.settings.propose import Propose
from stages.settings.refine import Refine
from stages.settings.select import Select
from tests.bag_tables import images, label, labels
from tests.tag_tables import tag_proposals, tag_scores

IMAGE = images().to_pylist()[0]
BOXES = [(0, 0, 20, 20), (30, 5, 60, 35), (2, 2, 18, 18), (70, 10, 90, 30)]
TAGS = (label(1, 5, "tag"), label(1, 6, "tag", category_id=20))
SCORES = {10: [0.9, 0.5, 0.8, 0.1], 20: [0.0, 0.2, 0.1, 0.19]}


def labelled(method: Any, **keys: Any) -> list[tuple[int, int, int]]:
    """(instance, class, proposal) of each label."""
    name = method.__name__.rpartition(".")[2]
    values = {"method": name, name: {"mask_source": "proposal", **keys}}
    kit = Kit(Path(), (10, 20), Propose(), Select(), refine=Refine.model_validate(values))
    refiner = method.opened_refiner(kit, lambda: torch.device("cpu"))
    rows, trail = refiner.labels(IMAGE, labels(*TAGS), tag_proposals(BOXES), tag_scores(SCORES))
    assert len(trail) == 2 * len(rows)
    names = ("instance_id", "category_id", "proposal_id")
    return [tuple(row[name] for name in names) for row in rows.to_pylist()]


def test_adaptive_takes_what_stands_out_and_no_part_of_it() -> None:
    assert labelled(adaptive_pgt) == [
        (-5, 20, 2),
        (-4, 20, 3),
        (-3, 20, 1),
        (-2, 10, 1),
        (-1, 10, 0),
    ]


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        ({"score": 0.6}, [(-3, 20, 3), (-2, 20, 1), (-1, 10, 0)]),
        ({"overlap": 1.0, "score": 0.6}, [(-3, 20, 3), (-2, 20, 1), (-1, 10, 0)]),
        ({"norm": "max", "score": 0.9}, [(-3, 20, 3), (-2, 20, 1), (-1, 10, 0)]),
    ],
    ids=str,
)
def test_keys_of_adaptive(keys: dict[str, Any], wanted: list[tuple[int, int, int]]) -> None:
    assert labelled(adaptive_pgt, **keys) == wanted


def test_the_baseline_takes_one_of_each_tag() -> None:
    assert labelled(top1_pgt) == [(-2, 20, 1), (-1, 10, 0)]


def test_a_kit_tells_what_the_labels_depend_on() -> None:
    kit = Kit(Path(), (10,), Propose(), Select(), refine=Refine(method="top1_pgt"))
    for method in (adaptive_pgt, top1_pgt):
        assert "torch" in method.facts_of_method(kit)["packages"]
