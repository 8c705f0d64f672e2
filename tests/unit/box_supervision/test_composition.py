"""What batches are made of, against tests/golden/boxes.json and by hand."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.box_supervision.composition import (
    Composition,
    composition,
    kept_of,
    overlapping,
    taken,
)

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "boxes.json").read_text())


@pytest.mark.parametrize("case", GOLDEN["batch_ratio"]["cases"])
def test_golden(case: dict[str, Any]) -> None:
    seen = composition(9, case["num_salient"], case["batch"], ratio=case["ratio_box"])
    wanted = case["box_per_batch"], case["salient_per_batch"], case["iterations_per_epoch"]
    assert seen == Composition(*wanted)


@pytest.mark.parametrize(
    ("boxes", "salient", "batch", "ratio", "wanted"),
    [
        (0, 0, 16, 1.0, Composition(16, 0, 1)),
        (33, 0, 16, 1.0, Composition(16, 0, 3)),  # boxes alone: each once
        (0, 20, 8, 0.0, Composition(0, 8, 2)),
        (5, 1, 16, 0.5625, Composition(9, 7, 1)),  # 9 to 7, as printed
        (5, 100, 16, 0.6875, Composition(11, 5, 20)),  # 11 to 5, as released
        (5, 100, 16, 0.01, Composition(1, 15, 6)),  # one box at least
    ],
)
def test_batches(boxes: int, salient: int, batch: int, ratio: float, wanted: Composition) -> None:
    assert composition(boxes, salient, batch, ratio=ratio) == wanted


def test_boxes_that_overlap_another_are_crowded() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60], [0, 0, 10, 5.0]])
    assert overlapping(boxes, iou=0.5).tolist() == [True, True, False, False]
    assert overlapping(np.zeros((0, 4)), iou=0.5).tolist() == []


def test_crowded_boxes_are_left_out_of_three_epochs_in_four() -> None:
    crowded = np.arange(40) % 2 == 0
    rng = np.random.default_rng(0)
    shown = [kept_of(crowded, 0.75, rng) for _ in range(300)]
    counts = np.bincount(np.concatenate(shown), minlength=40) / 300
    assert (counts[1::2] == 1).all()
    assert counts[::2].mean() == pytest.approx(0.25, abs=0.02)
    assert any(one.tolist() != sorted(one.tolist()) for one in shown)


def test_where_all_are_crowded_all_are_shown() -> None:
    rng = np.random.default_rng(0)
    assert sorted(kept_of(np.ones(3, dtype=bool), 1.0, rng).tolist()) == [0, 1, 2]


def test_a_line_begins_anew_behind_its_end() -> None:
    assert taken(np.array([7, 8, 9]), 2, 5) == [9, 7, 8, 9, 7]
