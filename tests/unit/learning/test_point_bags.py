"""Which labels of an image are objects with a point, and what is known of each."""

from typing import Any

import pytest
import torch

from stages.learning.point_bags import PointIndex, point_bags
from tests.bag_tables import images, label, labels

IMAGE = images().to_pylist()[0]  # 40 x 100 px
ORDER = {10: 0, 20: 1}
POINTED: list[tuple[Any, ...]] = [  # labels, bags, points, classes
    ("none", (), (), [], []),
    ("one", (label(1, 4),), (4,), [[3, 4]], [0]),
    ("of a class", (label(1, 4), label(1, 7, category_id=20)), (4, 7), [[3, 4]] * 2, [0, 1]),
    ("by bag", (label(1, 4, bag_id=9), label(1, 7, bag_id=2, x=1.0)), (2, 9), [[1, 4], [3, 4]], 0),
    ("deleted", (label(1, 4, status="deleted"), label(1, 5)), (5,), [[3, 4]], [0]),
    ("the first of two", (label(1, 4), label(1, 5, bag_id=4, x=8.0)), (4,), [[3, 4]], [0]),
    ("with a mask", (label(1, 4), label(1, 5, "mask", bag_id=4)), (4,), [[3, 4]], [0]),
    ("with a box", (label(1, 4), label(1, 5, "box", bag_id=4), label(1, 6)), (6,), [[3, 4]], [0]),
    ("a box alone", (label(1, 5, "box"), label(1, 6, "tag")), (), [], []),
    ("beyond the border", (label(1, 4, x=150.0, y=40.5),), (4,), [[100, 40]], [0]),
]


@pytest.mark.parametrize(
    ("rows", "bags", "points", "classes"), [row[1:] for row in POINTED], ids=[r[0] for r in POINTED]
)
def test_an_object_with_a_point_and_no_box_has_a_bag(
    rows: Any, bags: Any, points: Any, classes: Any
) -> None:
    seen = point_bags(IMAGE, labels(*rows), ORDER)
    assert seen.bag_ids == bags
    assert seen.points.tolist() == points
    assert seen.labels.tolist() == (classes or [0] * len(bags))
    assert seen.size == (40, 100)


def test_points_are_scaled_and_mirrored_with_their_image() -> None:
    bags = point_bags(IMAGE, labels(label(1, 4)), ORDER)
    there = bags.scaled(2, flip=True)
    assert there.points.tolist() == [[200 - 6, 8]]
    assert there.size == (80, 200)
    torch.testing.assert_close(there.scaled(0.5, flip=True).points, bags.points)


def test_the_index_holds_the_images_that_have_points() -> None:
    rows = labels(label(1, 1), label(1, 2), label(2, 3, "box"))
    index = PointIndex(images(), rows, (10, 20))
    assert index.image_ids == [1]
    assert index.bags(1).bag_ids == (1, 2)
    assert index.image(1)["file_name"] == "1.png"
    assert index.tally() == "1 images, 2 objects"
