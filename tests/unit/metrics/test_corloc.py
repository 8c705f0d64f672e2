"""CorLoc counted by hand and by a slow loop; what is wrong is told by kind."""

import numpy as np
import pytest

from stages.geometry.boxes import box_iou
from stages.metrics.corloc import OUTCOMES, CorLoc, outcome_of

NO_BOXES = np.zeros((0, 4))
OBJECT = np.array([[10.0, 10, 30, 30]])
FIT, PART, LARGE, AWAY = (
    [10.0, 10, 30, 28],
    [10.0, 10, 20, 20],
    [0.0, 0, 60, 60],
    [70.0, 70, 80, 80],
)


def slow_is_right(scores: list[float], boxes: np.ndarray, objects: np.ndarray) -> bool:
    best = 0
    for row, score in enumerate(scores):
        if score > scores[best]:
            best = row
    return any(box_iou(boxes[best][None], goal[None])[0, 0] >= 0.5 for goal in objects)


def test_without_tags_there_is_no_corloc() -> None:
    seen = CorLoc().summary()
    assert seen == {
        **dict.fromkeys(OUTCOMES, 0),
        "n": 0,
        "corloc": None,
        "share": None,
        "per_class": {},
    }


@pytest.mark.parametrize(
    ("scores", "boxes", "outcome"),
    [
        ([], NO_BOXES, "without_box"),
        ([0.1], [FIT], "hits"),
        ([0.1, 0.2], [FIT, PART], "part"),
        ([0.3, 0.2], [LARGE, FIT], "too_large"),
        ([0.3, 0.2], [AWAY, FIT], "other"),
        ([0.0, 0.0], [FIT, AWAY], "hits"),  # of equal scores the first
    ],
)
def test_the_best_box_alone_decides(
    scores: list[float], boxes: list[list[float]], outcome: str
) -> None:
    seen = outcome_of(np.array(scores), np.array(boxes).reshape(-1, 4), OBJECT)
    assert seen == outcome


def test_classes_count_alike_however_many_tags_they_have() -> None:
    corloc = CorLoc()
    for _ in range(3):
        corloc.add(4, np.array([0.5]), np.array([FIT]), OBJECT)
    corloc.add(9, np.array([0.5]), np.array([PART]), OBJECT)
    corloc.add(9, np.zeros(0), NO_BOXES, OBJECT)
    seen = corloc.summary()
    assert seen["corloc"] == 0.5  # of 1 and 0
    assert seen["share"] == pytest.approx(3 / 5)
    assert (seen["n"], seen["hits"], seen["part"], seen["without_box"]) == (5, 3, 1, 1)
    assert seen["per_class"]["9"] == {
        **dict.fromkeys(OUTCOMES, 0),
        "corloc": 0,
        "n": 2,
        "part": 1,
        "without_box": 1,
    }


@pytest.mark.parametrize("seed", range(4))
def test_corloc_is_that_of_a_slow_loop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    corloc, right = CorLoc(), dict[int, list[bool]]()
    for _ in range(60):
        low = rng.integers(0, 12, (9, 2))
        boxes = np.concatenate([low, low + rng.integers(6, 16, (9, 2))], axis=1).astype(float)
        scores, category_id = rng.random(6), int(rng.integers(0, 3))
        corloc.add(category_id, scores, boxes[:6], boxes[6:])
        hit = slow_is_right(scores.tolist(), boxes[:6], boxes[6:])
        right.setdefault(category_id, []).append(hit)
    seen = corloc.summary()
    assert seen["corloc"] == pytest.approx(np.mean([np.mean(hits) for hits in right.values()]))
    assert 0 < seen["corloc"] < 1
    assert sum(seen[name] for name in OUTCOMES) == seen["n"] == 60
