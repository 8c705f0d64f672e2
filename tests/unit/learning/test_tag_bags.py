"""Bags of tags: which rows are learned from, and whose scores the others get."""

import numpy as np
import pytest
import torch

from stages.learning.tag_bags import TagBags, first_equals, tag_bags
from stages.tables.proposals import PROPOSALS
from stages.tables.table import rows_table
from tests.bag_tables import images, label, labels, proposals

IMAGE = images().to_pylist()[0]
ORDER = {10: 0, 20: 1, 30: 2}
TAGS = labels(label(1, 5, "tag", category_id=30), label(1, 6, "tag", category_id=10))
BOXES = [  # box, valid
    ([0.0, 0, 9, 9], True),
    ([1.0, 0, 2, 9], True),  # too thin
    ([0.0, 0, 9, 9], True),  # the first one again
    ([5.0, 5, 6, 6], False),  # empty
    ([2.0, 2, 20, 9], False),  # empty, and an equal box is not
    ([2.0, 2, 20, 9], True),
]


def bag(*, min_side: float = 2.0, bag_id: int = -1) -> TagBags:
    rows = proposals([(1, bag_id, k, 0.5, True) for k in range(len(BOXES))]).to_pylist()
    for row, (box, valid) in zip(rows, BOXES, strict=True):
        row |= {"box": box, "valid": valid, "predicted_iou": 1.5}
    return tag_bags(IMAGE, TAGS, rows_table(PROPOSALS, rows), ORDER, min_side=min_side)


def test_rows_that_are_learned_from() -> None:
    made = bag()
    assert made.valid.tolist() == [True, False, False, False, False, True]
    assert made.stands_for.tolist() == [0, -1, 0, -1, -1, 5]
    assert made.tags.tolist() == [1, 0, 1]
    assert made.size == (40, 100)
    assert made.quality.tolist() == [1.0] * 6
    assert bag(min_side=0).valid.tolist() == [True, True, False, False, False, True]
    assert not bag(min_side=30).valid.any()


def test_copies_get_the_scores_of_the_first_and_others_none() -> None:
    found = bag().rows_of(torch.tensor([[0.25, 1.0], [0.75, 2.0]]))
    assert found[:, 0].tolist() == [0.25, 0, 0.25, 0, 0, 0.75]
    assert found.shape == (6, 2)


def test_a_bag_without_a_usable_row_has_no_scores() -> None:
    assert bag(min_side=30).rows_of(torch.zeros(0, 2)).tolist() == [[0.0, 0.0]] * 6


@pytest.mark.parametrize("count", [0, 1, 40])
def test_first_equals_is_a_slow_loop(count: int) -> None:
    rng = np.random.default_rng(count)
    boxes = rng.integers(0, 2, (count, 4)).astype(np.float32)
    usable = rng.random(count) < 0.7
    wanted = []
    for i in range(count):
        equal = [j for j in range(count) if usable[j] and (boxes[j] == boxes[i]).all()]
        wanted.append(equal[0] if usable[i] else -1)
    assert first_equals(boxes, usable).tolist() == wanted


def test_mirrored_twice_is_the_bag_itself() -> None:
    made = bag()
    there = made.scaled(2.0, flip=True)
    assert there.boxes[0].tolist() == [182, 0, 200, 18]
    assert there.size == (80, 200)
    torch.testing.assert_close(there.scaled(0.5, flip=True).boxes, made.boxes)


def test_the_bag_of_an_object_is_refused() -> None:
    with pytest.raises(ValueError, match=r"image 1: bag 5 is of one object.*labels: tag"):
        bag(bag_id=5)


def test_a_bag_without_tags_is_refused() -> None:
    gone = labels(label(1, 5, "tag", status="deleted"), label(1, 6))
    rows = proposals([(1, -1, 0, 0.5, True)])
    with pytest.raises(ValueError, match="no tag among the weak labels"):
        tag_bags(IMAGE, gone, rows, ORDER, min_side=0)
