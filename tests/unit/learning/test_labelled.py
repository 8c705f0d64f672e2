"""What labels say about bags: points before centres of boxes, masks, tags and deleted ones none."""

from pathlib import Path
from typing import Any

import pytest

from stages.learning.labelled import Labelled, check_bags, labelled_bags, tally
from tests.bag_tables import LABELS, ROWS, label, labels, proposals

BOX = (10.0, 20.0, 30.0, 36.0)
CASES: list[tuple[str, list[dict[str, Any]], dict[int, Labelled]]] = [
    ("no labels", [], {}),
    ("a point", [label(1, 5)], {5: Labelled(10, (3, 4), None)}),
    ("a box", [label(1, 5, "box")], {5: Labelled(10, (20, 28), BOX)}),
    ("a mask", [label(1, 5, "mask")], {}),
    ("a tag", [label(1, 5, "tag")], {}),
    ("a deleted point", [label(1, 5, status="deleted")], {}),
    ("a corrected point", [label(1, 5, status="corrected")], {5: Labelled(10, (3, 4), None)}),
    (
        "a box and a point of one object",
        [label(1, 5, "box"), label(1, 6, bag_id=5)],
        {5: Labelled(10, (3, 4), BOX)},
    ),
    (
        "two points of one object",
        [label(1, 5), label(1, 6, bag_id=5, x=9.0)],
        {5: Labelled(10, (3, 4), None)},
    ),
    (
        "a point and a mask of one object",
        [label(1, 5), label(1, 6, "mask", bag_id=5)],
        {5: Labelled(10, (3, 4), None)},
    ),
    (
        "two objects, rows not in the order of their bags",
        [label(1, 5, bag_id=8), label(1, 6, category_id=20)],
        {6: Labelled(20, (3, 4), None), 8: Labelled(10, (3, 4), None)},
    ),
]


@pytest.mark.parametrize(("rows", "wanted"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_each_labelled_object_has_a_point_and_perhaps_a_box(
    rows: list[dict[str, Any]], wanted: dict[int, Labelled]
) -> None:
    seen = labelled_bags(labels(*rows))
    assert seen == wanted
    assert list(seen) == sorted(seen)


WHERE = Path("shard-0000-of-0002.parquet")


def test_bags_that_add_up_pass() -> None:
    check_bags(proposals([]), labels(label(1, 9, "mask"), label(1, 10, "tag")), WHERE)
    check_bags(proposals(ROWS), LABELS, WHERE)


@pytest.mark.parametrize(
    ("rows", "said"),
    [(ROWS[:3], r"2 bags are missing.*\(1, 6\)"), ([*ROWS, (2, 9, 0, 0.5, True)], "unknown")],
    ids=["missing", "unknown"],
)
def test_bags_that_do_not_add_up_are_refused(rows: list[Any], said: str) -> None:
    with pytest.raises(ValueError, match=rf"shard-0000-of-0002.*{said}"):
        check_bags(proposals(rows), LABELS, WHERE)


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        ([], "3 images, 0 objects, 0 with empty masks only"),
        (ROWS, "3 images, 3 objects, 1 with empty masks only"),
        (ROWS[:2], "3 images, 1 objects, 0 with empty masks only"),
    ],
    ids=["nothing", "all", "one"],
)
def test_the_tally_counts_objects_and_empty_bags(rows: list[Any], wanted: str) -> None:
    assert tally(3, proposals(rows)) == wanted


def test_tags_have_a_bag_where_there_are_such_bags_at_all() -> None:
    tags = labels(label(1, 5, "tag"), label(2, 6, "tag"), label(3, 7, "tag", status="deleted"))
    check_bags(proposals([(1, -1, 0, 0.5, True), (2, -1, 0, 0.5, True)]), tags, WHERE)
    check_bags(proposals([]), tags, WHERE)
    with pytest.raises(ValueError, match=r"1 bags are missing \(first: \(2, -1\)\)"):
        check_bags(proposals([(1, -1, 0, 0.5, True)]), tags, WHERE)
    more = [(number, -1, 0, 0.5, True) for number in (1, 2, 3)]
    with pytest.raises(ValueError, match=r"1 bags are unknown \(first: \(3, -1\)\)"):
        check_bags(proposals(more), tags, WHERE)


def test_images_with_tags_are_counted_apart_from_objects() -> None:
    rows = proposals([(1, -1, 0, 0.5, False), (2, 7, 0, 0.5, True)])
    assert tally(3, rows) == "3 images, 1 objects, 1 images with tags, 1 with empty masks only"
