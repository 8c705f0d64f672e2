"""Looks at validation images: when, what is kept, and what a killed training finds again."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from stages.engines.best import BEST, VAL_AP, Validation, Watch, best_of, load_best

BOX = {"image_id": 1, "category_id": 1, "bbox": [2, 2, 8, 8]}
TRUTH: dict[str, Any] = {
    "images": [{"id": 1, "height": 16, "width": 16}],
    "categories": [{"id": 1, "name": "a"}],
    "annotations": [{**BOX, "id": 1, "area": 64, "iscrowd": 0}],
}


def line(step: int, **more: float) -> str:
    return json.dumps({"step": step, "loss": 1.0, **more})


@pytest.mark.parametrize(
    ("log", "wanted"),
    [
        ([], (0, -1.0)),
        ([line(1), line(2)], (0, -1.0)),
        ([line(1, val_ap=0.0)], (1, 0.0)),
        ([line(1, val_ap=0.2), line(2), line(3, val_ap=0.5), line(4, val_ap=0.5)], (3, 0.5)),
    ],
    ids=["empty", "no look", "nothing found", "the first of equals"],
)
def test_the_best_look_is_found_in_the_log(log: list[str], wanted: tuple[int, float]) -> None:
    assert best_of(log) == wanted


def watch(folder: Path, network: nn.Module, found: list[Any], every: int = 2) -> Watch:
    validation = Validation(TRUTH["images"], folder, TRUTH, every)
    return Watch(validation, network, lambda: [found], folder, 5)


def test_it_looks_every_so_many_steps_and_after_the_last(tmp_path: Path) -> None:
    look = watch(tmp_path, nn.Linear(1, 1), [])
    assert [bool(look(step, [])) for step in (1, 2, 3, 4, 5)] == [False, True, False, True, True]


def test_the_best_weights_are_kept_and_the_network_goes_on_training(tmp_path: Path) -> None:
    network, found = nn.Linear(1, 1).train(), [{**BOX, "score": 0.9}]
    assert watch(tmp_path, network, found)(2, []) == {VAL_AP: pytest.approx(1.0)}
    assert network.training
    kept = network.weight.detach().clone()
    nn.init.zeros_(network.weight)
    assert watch(tmp_path, network, [])(4, [line(2, val_ap=1.0)]) == {VAL_AP: 0.0}
    load_best(network, tmp_path)
    assert torch.equal(network.weight, kept)


def test_a_better_file_of_a_killed_run_is_written_again(tmp_path: Path) -> None:
    network, found = nn.Linear(1, 1), [{**BOX, "score": 0.9}]
    watch(tmp_path, network, found)(4, [line(2, val_ap=0.1)])
    before = (tmp_path / BEST).read_bytes()
    (tmp_path / BEST).write_bytes(b"of a later step")
    watch(tmp_path, network, found)(4, [line(2, val_ap=0.1)])  # the log knows of no better one
    assert (tmp_path / BEST).read_bytes() == before
