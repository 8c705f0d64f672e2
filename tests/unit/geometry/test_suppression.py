"""Which of several boxes that cover each other stay."""

import json

import numpy as np
import pytest

from stages.geometry.boxes import box_iou
from stages.geometry.suppression import best_boxes, first_boxes
from tests.small_config import ROOT

GOLDEN = json.loads((ROOT / "tests/golden/weaksam.json").read_text())["scoreless_nms"]
NONE = np.zeros((0, 4))


def slow(boxes: np.ndarray, order: list[int], iou: float) -> list[int]:
    """One box after the other, held against each that stays."""
    kept: list[int] = []
    for i in order:
        if all(box_iou(boxes[i : i + 1], boxes[k : k + 1])[0, 0] <= iou for k in kept):
            kept.append(i)
    return kept


def drawn(seed: int, count: int = 60) -> np.ndarray:
    rng = np.random.default_rng(seed)
    corner = rng.integers(0, 30, (count, 2))
    return np.concatenate([corner, corner + rng.integers(5, 25, (count, 2))], axis=1).astype(float)


def test_no_box_stays_of_none() -> None:
    assert best_boxes(NONE, np.zeros(0), iou=0.5).tolist() == []
    assert first_boxes(NONE, iou=0.5).tolist() == []


@pytest.mark.parametrize("iou", [0.0, 0.3, 0.7, 1.0])
def test_both_equal_a_slow_loop(iou: float) -> None:
    boxes = drawn(1)
    scores = np.random.default_rng(2).permutation(len(boxes)) / len(boxes)
    falling = np.argsort(-scores).tolist()
    assert best_boxes(boxes, scores, iou=iou).tolist() == slow(boxes, falling, iou)
    assert first_boxes(boxes, iou=iou).tolist() == slow(boxes, list(range(len(boxes))), iou)


def test_of_equal_scores_the_first_stays() -> None:
    boxes = np.array([[0.0, 0.0, 10.0, 10.0], [0.0, 0.0, 10.0, 9.0], [50.0, 0.0, 60.0, 10.0]])
    assert best_boxes(boxes, np.array([0.5, 0.5, 0.9]), iou=0.5).tolist() == [2, 0]


def test_the_golden_case_as_half_open_boxes() -> None:
    inclusive = np.array(GOLDEN["boxes"])
    boxes = inclusive + np.array([0, 0, 1, 1])  # the golden boxes name their last pixel
    np.testing.assert_allclose(box_iou(boxes, boxes)[0], GOLDEN["iou_matrix_plus1"][0], atol=1e-6)
    kept = first_boxes(boxes, iou=GOLDEN["threshold"])
    assert inclusive[kept].tolist() == GOLDEN["expected_kept"]
