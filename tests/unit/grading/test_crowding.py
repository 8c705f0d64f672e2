"""How masks stand among others: bars of 10 rows, px by columns."""

import numpy as np
import pytest

from stages.geometry.masks import Rle, masks_to_rles
from stages.grading.crowding import crowding, is_inside


def bar(start: int, end: int) -> Rle:
    mask = np.zeros((1, 20, 100), dtype=np.uint8)
    mask[0, 5:15, start:end] = 1
    return masks_to_rles(mask)[0]


def test_no_masks_have_no_neighbours() -> None:
    assert crowding([], [], [], {}).shape == (0, 5)


def test_a_mask_alone_overlaps_nothing() -> None:
    assert crowding([bar(0, 10)], [1], [None], {}).tolist()[0][2:] == [0, 0, 0]
    assert np.isnan(crowding([bar(0, 10)], [1], [None], {})[0, :2]).all()


def test_overlaps_are_told_from_both_sides() -> None:
    """10 columns within 40: IoU 1/4, the first wholly covered, the second by a quarter."""
    found = crowding([bar(0, 10), bar(0, 40), bar(60, 70)], [1, 1, 1], [None] * 3, {})
    assert found[:, 2:].tolist() == [[0.25, 1.0, 0.25], [0.25, 0.25, 1.0], [0, 0, 0]]


def test_points_of_others_are_counted_by_class_the_own_apart() -> None:
    points = {
        7: (1, np.array([[5.0, 8.0], [90.0, 8.0]])),  # its second point lies outside: not asked
        8: (1, np.array([[12.0, 8.0]])),
        9: (2, np.array([[15.0, 8.0]])),
        10: (1, np.array([[80.0, 8.0]])),
    }
    found = crowding([bar(0, 20), bar(0, 0)], [1, 1], [7, None], points)
    assert found[0, :2].tolist() == [1, 1]
    assert np.isnan(found[1, :2]).all()  # an empty mask holds nothing


def test_an_image_whose_only_point_is_the_own_has_no_others() -> None:
    found = crowding([bar(0, 20)], [1], [7], {7: (1, np.array([[5.0, 8.0]]))})
    assert found[0, :2].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("point", "wanted"),
    [((0.0, 0.0), True), ((3.99, 2.0), True), ((4.0, 0.0), False), ((6.0, 4.0), True)],
    ids=["corner", "last column", "beyond", "far edge of the image"],
)
def test_a_point_lies_on_the_pixel_that_holds_it(
    point: tuple[float, float], *, wanted: bool
) -> None:
    mask = np.zeros((4, 6), dtype=np.uint8)
    mask[:, :4] = 1
    mask[3, 5] = 1
    assert is_inside(mask, np.array([point])).tolist() == [wanted]
