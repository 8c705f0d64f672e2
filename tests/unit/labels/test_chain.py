from functools import partial

import pytest

from stages.labels.agreement import ignore_misfits
from stages.labels.chain import Transform, transformed
from stages.labels.drop_below import drop_below
from stages.labels.merge_smaller import merge_smaller
from stages.labels.pseudo_label import PseudoLabel
from tests.pseudo_labels import pseudo_label, rectangle_mask

SIZE = 20, 20
JUDGE = partial(ignore_misfits, threshold=0.95)
DROP = partial(drop_below, score=0.4)


def chain_labels() -> list[PseudoLabel]:
    """A small unsure object on the edge of a large sure one."""
    large = pseudo_label(0, rectangle_mask(SIZE, (0, 0, 10, 10)), score=0.9)
    small = pseudo_label(1, rectangle_mask(SIZE, (0, 0, 10, 2)), score=0.3)
    return [large, small]


def test_no_transform_changes_nothing() -> None:
    labels = chain_labels()
    assert transformed(labels, []) == labels
    assert transformed([], [merge_smaller, JUDGE, DROP]) == []


@pytest.mark.parametrize(
    ("transforms", "areas", "weights"),
    [
        ([merge_smaller], [80, 20], [1, 1]),
        ([merge_smaller, JUDGE], [80, 20], [0, 1]),
        ([JUDGE, merge_smaller], [80, 20], [1, 1]),
        ([merge_smaller, DROP], [80], [1]),
        ([DROP, merge_smaller], [100], [1]),
        ([DROP, merge_smaller, JUDGE], [100], [1]),
    ],
    ids=["merge", "merge judge", "judge merge", "merge drop", "drop merge", "drop merge judge"],
)
def test_each_transform_takes_what_the_one_before_it_gives(
    transforms: list[Transform], areas: list[int], weights: list[float]
) -> None:
    labels = transformed(chain_labels(), transforms)
    assert [label.area for label in labels] == areas
    assert [label.mask_weight for label in labels] == weights
