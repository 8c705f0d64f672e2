"""What each shard must hold, by the weak labels of its images."""

from pathlib import Path

import pytest

from stages.tables.images import IMAGES
from stages.tables.members import Members
from stages.tables.proposals import PROPOSALS
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.table import rows_table
from stages.tables.weak_labels import WEAK_LABELS
from tests.sound_rows import (
    Row,
    image_row,
    label_row,
    proposal_row,
    pseudo_label_row,
    tag_row,
    write_rows,
)

MASK = {"kind": "mask", "x": None, "y": None, "box": [0, 0, 1, 1], "rle": b"04"}
LABELS = [
    label_row(1, 5),
    label_row(2, 7),
    label_row(2, 8, **MASK),  # an object that is a mask alone
    label_row(2, 9, **{**MASK, "instance_id": 7, "bag_id": 7}),  # a mask beside its point
    tag_row(4, 1),
    label_row(4, 6, status="deleted"),
]


def members(labels: list[Row] = LABELS, shards: int = 2) -> Members:
    images = [image_row(number, shard=number % shards) for number in (1, 2, 3, 4)]
    return Members(rows_table(IMAGES, images), rows_table(WEAK_LABELS, labels))


def test_without_labels_shards_have_their_images_alone() -> None:
    empty = members([])
    assert empty.image_ids(0) == [2, 4]
    assert [*empty.instances(0)] == [*empty.bags(0)] == [*empty.tagged(0)] == []
    assert empty.objects == 0


def test_objects_bags_and_tags_are_those_of_the_shard() -> None:
    known = members()
    assert [known.image_ids(number) for number in (0, 1)] == [[2, 4], [1, 3]]
    assert [list(known.instances(number)) for number in (0, 1)] == [[(2, 7), (2, 8)], [(1, 5)]]
    assert [list(known.bags(number)) for number in (0, 1)] == [[(2, 7), (4, -1)], [(1, 5)]]
    assert [known.tagged(number) for number in (0, 1)] == [{4}, set()]
    assert known.objects == 3


def test_objects_whose_mask_was_given_are_counted_once() -> None:
    assert members([]).given == 0
    assert members().given == 2
    twice = label_row(2, 10, **{**MASK, "instance_id": 7, "bag_id": 7})
    assert members([*LABELS[:4], twice]).given == 2


def test_labels_of_an_unknown_image_are_refused() -> None:
    with pytest.raises(ValueError, match="image 99 has weak labels, but is not in table images"):
        members([label_row(99)])


def test_more_shards_than_files_are_refused() -> None:
    members().check_count([Path("a/0"), Path("a/1")])
    with pytest.raises(ValueError, match="a: 2 shards were given, but images were dealt into at"):
        members(shards=3).check_count([Path("a/0"), Path("a/1")])


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ([(2, 7), (2, 8), (4, -2), (4, -1)], ""),
        ([(2, 7)], r"1 instances are missing \(first: \(2, 8\)\)"),
        ([(2, 7), (2, 8), (4, 6)], r"1 instances are unknown \(first: \(4, 6\)\)"),
        ([(2, -1), (2, 7), (2, 8)], "image 2 has objects born of a tag, but no tag"),
        ([(1, 5), (2, 7), (2, 8)], "image 1 is not one of this shard's 2 images"),
    ],
    ids=["sound", "missing", "deleted", "born of no tag", "another shard's"],
)
def test_pseudo_labels_are_held_against_the_labels(
    tmp_path: Path, keys: list[tuple[int, int]], words: str
) -> None:
    rows = [pseudo_label_row(*key) for key in keys]
    path = write_rows(tmp_path / "t", PSEUDO_LABELS, rows, shard="0000-of-0002")
    if not words:
        members().check_labelled(path)
        return
    with pytest.raises(ValueError, match=words):
        members().check_labelled(path)


def test_bags_are_held_against_the_labels(tmp_path: Path) -> None:
    rows = [proposal_row(2, 7, 0), proposal_row(2, 7, 1), proposal_row(4, -1)]
    path = write_rows(tmp_path / "t", PROPOSALS, rows, shard="0000-of-0002")
    members().check_bags(path, PROPOSALS)
    write_rows(path, PROPOSALS, rows[:2], shard="0000-of-0002")
    with pytest.raises(ValueError, match=r"1 bags are missing \(first: \(4, -1\)\)"):
        members().check_bags(path, PROPOSALS)
