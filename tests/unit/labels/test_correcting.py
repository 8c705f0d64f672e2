"""What became of labels, by their masks: bars of 10 rows, px by columns."""

import numpy as np
import pytest

from stages.geometry.masks import Rle, masks_to_rles
from stages.labels.correcting import Shape, is_untouched, outcomes

LIMITS = {"same": 0.95, "alike": 0.3}


def bar(start: int, end: int) -> Rle:
    mask = np.zeros((1, 20, 100), dtype=np.uint8)
    mask[0, 5:15, start:end] = 1
    return masks_to_rles(mask)[0]


def told(
    ours: list[tuple[int, int, int]], theirs: list[tuple[int, int, int]]
) -> list[tuple[int | None, str, int]]:
    """Number, status and class of each outcome; shapes are class, first and last column."""
    mine = [Shape(100 + k, c, bar(a, b)) for k, (c, a, b) in enumerate(ours)]
    back = [Shape(k, c, bar(a, b)) for k, (c, a, b) in enumerate(theirs)]
    return [(o.number, o.status, o.category_id) for o in outcomes(mine, back, **LIMITS)]


def test_nothing_becomes_nothing() -> None:
    assert told([], []) == []
    assert is_untouched([])


@pytest.mark.parametrize(
    ("theirs", "status", "category"),
    [
        ([(1, 0, 40)], "accepted", 1),
        ([(1, 0, 39)], "accepted", 1),  # IoU .975: redrawn by a tool
        ([(2, 0, 40)], "corrected", 2),
        ([(1, 0, 30)], "corrected", 1),
        ([], "deleted", 1),
    ],
    ids=["as it was", "nearly", "another class", "redrawn", "gone"],
)
def test_a_label_has_become_what_overlaps_it(
    theirs: list[tuple[int, int, int]], status: str, category: int
) -> None:
    assert told([(1, 0, 40)], theirs) == [(100, status, category)]


def test_what_overlaps_nothing_was_added() -> None:
    assert told([(1, 0, 40)], [(1, 0, 40), (2, 60, 80)]) == [
        (100, "accepted", 1),
        (None, "added", 2),
    ]


def test_a_mask_far_from_its_label_replaces_it() -> None:
    """IoU 10/70, below the limit: one is gone, another one is there."""
    assert told([(1, 0, 40)], [(1, 30, 70)]) == [(100, "deleted", 1), (None, "added", 1)]


def test_labels_are_paired_one_to_one_the_best_overlap_first() -> None:
    ours = [(1, 0, 40), (1, 20, 60)]
    assert told(ours, [(1, 20, 60)]) == [(100, "deleted", 1), (101, "accepted", 1)]


def test_what_was_left_as_it_was_keeps_our_mask() -> None:
    [outcome] = outcomes([Shape(7, 1, bar(0, 40))], [Shape(0, 1, bar(0, 39))], **LIMITS)
    assert outcome.rle == bar(0, 40)
    [outcome] = outcomes([Shape(7, 1, bar(0, 40))], [Shape(0, 1, bar(0, 30))], **LIMITS)
    assert outcome.rle == bar(0, 30)
