"""Recall of proposals: the golden numbers, a slow loop, and what stays in the denominator."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.geometry.boxes import box_iou
from stages.metrics.proposal_recall import RECALLS, ProposalRecall, best_overlaps
from stages.metrics.shapes import Shapes

GOLDEN: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "golden" / "weaksam.json").read_text()
)["proposal_recall"]
NO_BOXES = np.zeros((0, 4))


def objects(boxes: Any, *classes: int) -> Shapes:
    made = np.array(boxes, dtype=np.float64).reshape(-1, 4)
    return Shapes(np.array(classes or [1] * len(made), dtype=np.int64), made)


def half_open(inclusive: Any) -> np.ndarray:
    """Boxes whose last pixel is counted in, as ours, whose edge lies behind it."""
    return np.array(inclusive, dtype=np.float64).reshape(-1, 4) + np.array([0, 0, 1, 1])


def inclusive_iou(first: list[float], second: list[float]) -> float:
    """With +1, pixel by pixel as the public code counts."""
    width = min(first[2], second[2]) - max(first[0], second[0]) + 1
    height = min(first[3], second[3]) - max(first[1], second[1]) + 1
    inner = max(width, 0) * max(height, 0)
    areas = [(box[2] - box[0] + 1) * (box[3] - box[1] + 1) for box in (first, second)]
    return inner / (sum(areas) - inner)


def slow_best(proposals: np.ndarray, goals: np.ndarray) -> list[float]:
    """Take the largest IoU of all, strike out its row and column, and again."""
    overlaps = box_iou(proposals, goals)
    best = [0.0] * len(goals)
    rows, columns = set(range(len(proposals))), set(range(len(goals)))
    while rows and columns:
        value, row, column = max((overlaps[r, c], r, c) for r in rows for c in columns)
        best[column] = value
        rows, columns = rows - {row}, columns - {column}
    return best


def test_without_images_nothing_is_measured() -> None:
    seen = ProposalRecall().summary()
    assert seen["per_image"] is None
    assert [seen[name] for name in RECALLS] == [None] * 3
    assert (seen["n"], seen["images"], seen["per_class"]) == (0, 0, {})


def test_the_golden_recall() -> None:
    recall = ProposalRecall()
    for found, goals in zip(GOLDEN["proposals"], GOLDEN["gts"], strict=True):
        recall.image(half_open(found), objects(half_open(goals)))
    seen = recall.summary()
    assert list(RECALLS.values()) == GOLDEN["thresholds"]
    assert [seen[name] for name in RECALLS] == pytest.approx(
        GOLDEN["expected_recall_authors"], abs=1e-6
    )
    assert seen["per_image"] == GOLDEN["avg_num_proposals"]


def test_any_match_would_have_been_more() -> None:
    """What one-to-one is held against in the golden file; not what is reported."""
    fits = []
    for found, goals in zip(GOLDEN["proposals"], GOLDEN["gts"], strict=True):
        fits += box_iou(half_open(found), half_open(goals)).max(axis=0).tolist()
    shares = [np.mean(np.array(fits) >= limit) for limit in GOLDEN["thresholds"]]
    assert shares == pytest.approx(GOLDEN["expected_recall_any_match"], abs=1e-6)


def test_half_open_boxes_of_whole_pixels_have_the_iou_of_inclusive_ones_with_plus_one() -> None:
    rng = np.random.default_rng(0)
    low = rng.integers(0, 20, (30, 2))
    boxes = np.concatenate([low, low + rng.integers(0, 20, (30, 2))], axis=1)
    seen = box_iou(half_open(boxes), half_open(boxes))
    for row, first in enumerate(boxes.tolist()):
        for column, second in enumerate(boxes.tolist()):
            assert seen[row, column] == pytest.approx(inclusive_iou(first, second))


@pytest.mark.parametrize("seed", range(5))
def test_best_overlaps_are_those_of_a_slow_loop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    low = rng.random((14, 2)) * 20
    boxes = np.concatenate([low, low + 1 + rng.random((14, 2)) * 20], axis=1)
    assert best_overlaps(boxes[:9], boxes[9:]).tolist() == pytest.approx(
        slow_best(boxes[:9], boxes[9:])
    )
    assert best_overlaps(NO_BOXES, boxes).tolist() == [0] * 14
    assert best_overlaps(boxes, NO_BOXES).tolist() == []


def test_an_image_without_proposals_counts_with_its_objects() -> None:
    recall = ProposalRecall()
    recall.image(half_open([[0, 0, 9, 9]]), objects(half_open([[0, 0, 9, 9]])))
    recall.image(NO_BOXES, objects(half_open([[0, 0, 9, 9]])))
    recall.image(half_open([[0, 0, 1, 1]] * 4), objects(NO_BOXES))
    seen = recall.summary()
    assert (seen["n"], seen["recall_50"], seen["images_without"]) == (2, 0.5, 1)
    assert seen["per_image"] == pytest.approx(5 / 3)


def test_recall_of_each_class_adds_up_to_that_of_all() -> None:
    recall = ProposalRecall()
    goals = [[0, 0, 9, 9], [20, 20, 29, 29], [40, 40, 49, 49]]
    recall.image(half_open([goals[0], [20, 20, 29, 25]]), objects(half_open(goals), 7, 7, 8))
    seen = recall.summary()
    assert seen["per_class"]["7"] == {"n": 2, "recall_50": 1, "recall_75": 0.5, "recall_90": 0.5}
    assert seen["per_class"]["8"]["recall_50"] == 0
    assert seen["recall_50"] == pytest.approx(2 / 3)
