"""What a person has given a mask of is a bag of one."""

from pathlib import Path

import pytest

from stages.learning.bag_index import BagIndex
from stages.learning.bags import image_bags
from stages.learning.certain import Certain, certain_cut, known_masks, with_certain
from stages.tables.table import write_table
from stages.tables.weak_labels import WEAK_LABELS
from tests.bag_tables import (
    CHOICES,
    LABELS,
    ROWS,
    images,
    label,
    labels,
    mask,
    proposals,
    selections,
)

ORDER = {10: 0, 20: 1, 30: 2}
BOX = (5.0, 5.0, 9.0, 15.0)


@pytest.fixture
def index() -> BagIndex:
    """Object 5 of image 1 is known, and of another class than its point."""
    cut = certain_cut(image_bags, {(1, 5): Certain(BOX, 20)})
    return BagIndex(images(), LABELS, proposals(ROWS), [*ORDER], selections(CHOICES), cut=cut)


def test_a_known_object_has_its_mask_alone(index: BagIndex) -> None:
    bags = index.bags(1)
    assert bags.boxes[0].tolist() == [[*BOX], [0.0] * 4, [0.0] * 4]
    assert bags.valid.tolist() == [[True, False, False], [False, False, False]]
    assert (bags.lengths.tolist(), bags.labels.tolist()) == ([1, 1], [1, 0])
    assert bags.quality[0].tolist() == [1.0, 0.0, 0.0]
    assert bags.points[0].tolist() == [3.0, 4.0]


def test_it_is_chosen_for_certain(index: BagIndex) -> None:
    bags = index.bags(1)
    assert bags.chosen.tolist() == [0, 0]
    assert bags.bag_scores.tolist() == [1.0, pytest.approx(0.2)]
    assert bags.guided_scores[0] == 1.0
    assert bags.scores[0].tolist() == [1.0, 0.0, 0.0]


def test_the_others_are_as_they_were(index: BagIndex) -> None:
    plain = BagIndex(images(), LABELS, proposals(ROWS), [*ORDER], selections(CHOICES))
    assert index.bags(2).boxes.equal(plain.bags(2).boxes)
    assert index.bags(1).boxes[1].equal(plain.bags(1).boxes[1])
    assert index.bags(1).scores[1].equal(plain.bags(1).scores[1])


def test_bags_of_which_nothing_is_known_are_not_copied() -> None:
    bags = BagIndex(images(), LABELS, proposals(ROWS), [*ORDER]).bags(1)
    assert with_certain(bags, {}, ORDER) is bags


def test_of_several_masks_the_corrected_one_counts_and_none_that_is_deleted(tmp_path: Path) -> None:
    rows = [
        *(label(1, 5), label(1, 6)),
        label(1, 8, "mask", instance_id=5, rle=mask(20, 30)),
        label(1, 9, "mask", instance_id=5, status="corrected", category_id=20, rle=mask(5, 9)),
        label(1, 10, "mask", instance_id=6, status="deleted"),
        label(2, 11, "mask", instance_id=11, rle=mask(0, 3)),
    ]
    write_table(tmp_path / "weak_labels.parquet", labels(*rows), WEAK_LABELS, {})
    known = known_masks(tmp_path / "weak_labels.parquet", images())
    assert known == {
        (1, 5): Certain(BOX, 20),
        (2, 11): Certain((0.0, 5.0, 3.0, 15.0), 10),
    }
