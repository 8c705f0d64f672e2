"""Select's choice as it is: rows of pseudo-labels and trail, from points and boxes."""

from pathlib import Path
from typing import Any

import pytest
import torch

from stages.methods.kit import Kit
from stages.methods.refiners import as_it_is
from stages.settings.propose import Propose
from stages.settings.refine import Refine, Vote, Zoom
from stages.settings.refiners.as_it_is import Bms, Settings
from stages.settings.select import Select
from stages.tables.checks import validate
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.trail import TRAIL
from tests.bag_tables import CHOICES, ROWS, images, label, labels, mask, proposals, selections

IMAGE = images().to_pylist()[0]
Rows = list[dict[str, Any]]


def made(settings: Refine, *rows: dict[str, Any]) -> tuple[Rows, Rows]:
    kit = Kit(Path(), (10, 20, 30), Propose(), Select(method="sam_top1"), refine=settings)
    refiner = as_it_is.opened_refiner(kit, lambda: torch.device("cpu"))
    bags, chosen = proposals(ROWS[:4]), selections(CHOICES[:4])
    found, trail = refiner.labels(IMAGE, labels(*rows), bags, chosen)
    validate(found, PSEUDO_LABELS, "here")
    validate(trail, TRAIL, "here")
    return found.to_pylist(), trail.to_pylist()


NO_VOTE = {"method": "as_it_is", "vote": Vote(enabled=False), "zoom": Zoom(enabled=False)}


def test_the_choice_is_the_label() -> None:
    rows, trail = made(Refine(**NO_VOTE), label(1, 5), label(1, 6, category_id=30))
    assert [row["proposal_id"] for row in rows] == [2, 0]
    assert [row["rle"] for row in rows] == [mask(3, 13), mask(1, 11)]
    assert [row["box"] for row in rows] == [[2, 5, 12, 25], [0, 6, 10, 26]]
    assert [row["score"] for row in rows] == pytest.approx([0.7, 0.2])
    assert [row["mask_quality"] for row in rows] == pytest.approx([0, 0.9])  # -1 is cut
    assert [row["category_id"] for row in rows] == [10, 30]
    names = [(0, "psm"), (1, "prm"), (2, "prm_bms")]
    steps = [(step["instance_id"], step["step"], step["name"]) for step in trail]
    assert steps == [(instance, *name) for instance in (5, 6) for name in names]
    assert [step["score"] for step in trail[:3]] == [0.25, 0.25, None]
    assert trail[2]["note"] == "none"


def test_a_given_box_stays_and_a_second_label_is_named() -> None:
    second = label(1, 9, instance_id=5, bag_id=5)
    rows, trail = made(Refine(**NO_VOTE), label(1, 5, "box"), label(1, 6), second)
    assert (rows[0]["box"], rows[0]["box_given"]) == ([10, 20, 30, 36], True)
    assert rows[0]["label_ids"] == [5, 9]
    assert trail[2]["box"] == [2, 5, 12, 25]
    assert not rows[1]["box_given"]


def test_the_bag_votes_where_that_is_wanted() -> None:
    settings = Refine(**{**NO_VOTE, "vote": Vote(enabled=True, threshold=1.0)})
    rows, _ = made(settings, label(1, 5), label(1, 6))
    assert {row["mask_source"] for row in rows} == {"vote"}


def test_mining_is_said_in_the_trail() -> None:
    bms = Bms(mode="paper", t_min1=0.1, t_min2=0.0)
    settings = Refine(**NO_VOTE, as_it_is=Settings(bms=bms))
    _, trail = made(settings, label(1, 5), label(1, 6))
    assert {step["note"] for step in trail if step["name"] == "prm_bms"} <= {
        *("none", "overlap", "contain"),
    }
    assert trail[0]["box"] == trail[2]["box"]  # mined, while the step between is the choice
    assert trail[1]["box"] == [2, 5, 12, 25]
