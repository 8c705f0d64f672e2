"""What there is to label: by hand, of rows and of labels."""

import pytest

from stages.estimating.counts import counted, of_labels, scaled, weak_kinds
from stages.formats.format import Label

EMPTY = Label(1, 1, 1)
POINT = Label(2, 1, 1, point=(1.0, 2.0))
BOX = Label(3, 1, 1, box=(0.0, 0.0, 2.0, 2.0))
MASK = Label(4, 2, 1, box=(0.0, 0.0, 2.0, 2.0), mask=[[0, 0, 2, 0, 2, 2]])
BOTH = Label(5, 2, 2, point=(1.0, 2.0), box=(0.0, 0.0, 2.0, 2.0))
KINDS = [
    (EMPTY, "given", ("tag",)),
    (EMPTY, "point", ()),
    (EMPTY, "tag", ("tag",)),
    (POINT, "given", ("point",)),
    (POINT, "box_and_point", ("point",)),
    (BOX, "point", ("point",)),
    (BOX, "given", ("box",)),
    (MASK, "given", ("mask",)),
    (MASK, "box_and_point", ("box", "point")),
    (BOTH, "given", ("box",)),
]


@pytest.mark.parametrize(("label", "way", "kinds"), KINDS, ids=[f"{k[0].id}-{k[1]}" for k in KINDS])
def test_a_label_becomes_what_prepare_makes_of_it(
    label: Label, way: str, kinds: tuple[str, ...]
) -> None:
    assert weak_kinds(label, way) == kinds


def test_nothing_counts_as_nothing() -> None:
    found = counted([], images=3, held_out=2, how="")
    assert (found.images, found.held_out) == (3, 2)
    assert (found.points, found.objects, found.asked) == (0, 0, 0)


def test_a_box_and_a_point_of_a_bag_are_one_object() -> None:
    rows = [(1, "box", 7), (1, "point", 7), (2, "point", 7), (3, "tag", -1), (3, "mask", 9)]
    found = counted(rows, images=4, held_out=0, how="")
    assert (found.points, found.boxes, found.tags, found.masks) == (2, 1, 1, 1)
    assert (found.objects, found.asked, found.tagged) == (2, 2, 1)


def test_a_class_is_one_tag_of_its_image() -> None:
    rows = of_labels([POINT, BOX, MASK, BOTH], "tag")
    assert sorted(rows) == [(1, "tag", -1), (2, "tag", -2), (2, "tag", -1)]
    assert len(of_labels([POINT, MASK, BOTH], "box_and_point")) == 5


def test_a_few_scenes_stand_for_more() -> None:
    few = counted([(1, "point", 1), (1, "point", 2), (2, "point", 1)], images=2, held_out=0, how="")
    many = scaled(few, 10, held_out=4, how="reckoned")
    assert (many.images, many.points, many.objects, many.asked) == (10, 15, 15, 10)
    assert (many.held_out, many.how) == (4, "reckoned")
