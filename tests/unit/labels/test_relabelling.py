"""When a detection stands for an object and replaces its label, on small drawn masks."""

import numpy as np
import pytest

from stages.geometry.masks import Rle, masks_to_rles
from stages.labels.relabelling import (
    Known,
    Limits,
    agreed_score,
    could_stand,
    is_better,
    majority,
    surest,
)

NONE = np.zeros((0, 2))
LIMITS = Limits(box_fit=0.7, overlap=0.7, near=0.3)


def _mask(x0: int, y0: int, x1: int, y1: int) -> Rle:
    pixels = np.zeros((1, 10, 12), dtype=bool)
    pixels[0, y0:y1, x0:x1] = True
    return masks_to_rles(pixels)[0]


MASKS = [_mask(0, 0, 4, 4), _mask(0, 0, 12, 10), _mask(6, 5, 10, 9), _mask(3, 3, 3, 3)]
LABEL = _mask(0, 0, 5, 4)


def _known(points: list[list[float]], rivals: list[list[float]], box: list[float] | None) -> Known:
    given = None if box is None else np.array(box, dtype=np.float64)
    return Known(np.array(points).reshape(-1, 2), np.array(rivals).reshape(-1, 2), given)


CASES = [  # points, rivals, box; which of MASKS could stand
    ([[1.5, 1.5]], [], None, [True, True, False, False]),
    ([[1.5, 1.5]], [[7.5, 6.5]], None, [True, False, False, False]),
    ([[3.99, 3.99]], [], None, [True, True, False, False]),
    ([[4.0, 3.0]], [], None, [False, True, False, False]),  # half-open
    ([[1.5, 1.5], [7.5, 6.5]], [], None, [False, True, False, False]),
    ([[12.0, 10.0]], [], None, [False, True, False, False]),  # at the border of the image
    ([], [], [0, 0, 4, 5], [True, False, False, False]),
    ([], [[1.5, 1.5]], [6, 5, 10, 9], [False, False, True, False]),
    ([[1.5, 1.5]], [], [0, 0, 12, 10], [False, True, False, False]),
]


@pytest.mark.parametrize(("points", "rivals", "box", "wanted"), CASES)
def test_a_mask_stands_where_all_that_is_known_allows_it(
    points: list[list[float]],
    rivals: list[list[float]],
    box: list[float] | None,
    wanted: list[bool],
) -> None:
    found = could_stand(MASKS, _known(points, rivals, box), LABEL, LIMITS)
    assert found.tolist() == wanted
    for mask, expected in zip(MASKS, wanted, strict=True):  # one by one as all together
        assert could_stand([mask], _known(points, rivals, box), LABEL, LIMITS).tolist() == [
            expected
        ]


def test_of_what_a_tag_bore_only_the_label_is_known() -> None:
    unknown = _known([], [], None)
    found = could_stand(MASKS, unknown, LABEL, LIMITS)
    assert found.tolist() == [True, False, False, False]  # IoU .8, .17, 0, empty
    assert could_stand([], unknown, LABEL, LIMITS).tolist() == []


def test_the_surest_of_the_allowed_counts() -> None:
    scores = np.array([0.9, 0.4, 0.6, 0.6])
    assert surest(np.array([False, False, False, False]), scores) is None
    assert surest(np.array([False, True, True, True]), scores) == 2
    assert surest(np.zeros(0, bool), np.zeros(0)) is None


BETTER = [  # overlap, score, label's score, bad; replaced
    (0.9, 0.9, 0.1, False, False),
    (0.6, 0.9, 0.1, False, True),
    (0.7, 0.9, 0.1, False, False),
    (0.6, 0.1, 0.1, False, False),
    (0.9, 0.1, 0.8, True, True),
]


@pytest.mark.parametrize(("overlap", "score", "sure", "bad", "wanted"), BETTER)
def test_a_detection_replaces_a_bad_label_or_one_that_it_doubts(
    overlap: float, score: float, sure: float, bad: bool, wanted: bool
) -> None:
    assert is_better(overlap, score, sure, is_bad=bad, limits=LIMITS) is wanted


def test_most_masks_decide_each_pixel() -> None:
    masks = [_mask(0, 0, 4, 4), _mask(2, 0, 6, 4), _mask(2, 2, 4, 8)]
    slow = np.zeros((10, 12), dtype=bool)
    for y in range(10):
        for x in range(12):
            votes = [(0 <= x < 4, 0 <= y < 4), (2 <= x < 6, 0 <= y < 4), (2 <= x < 4, 2 <= y < 8)]
            slow[y, x] = sum(all(inside) for inside in votes) >= 2
    assert (majority(masks) == slow).all()
    assert (majority(masks[:2]) == (slow & (np.arange(10)[:, None] < 4))).all()


def test_a_score_falls_with_each_view_that_differs() -> None:
    assert agreed_score(0.8, (1.0, 1.0)) == pytest.approx(0.8)
    assert agreed_score(0.8, (0.5, 0.9)) == pytest.approx(0.36)
    assert agreed_score(0.8, (0.0, 0.0)) == pytest.approx(0.8 * 0.05**2)
    assert agreed_score(0.9, (0.0, 0.0)) > agreed_score(0.8, (0.0, 0.0))
