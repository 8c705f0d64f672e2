import math

import numpy as np
import pytest

from stages.formats.ellipses import ellipse_polygon, rectangle_polygon


def _area(flat: list[float]) -> float:
    x, y = np.array(flat).reshape(-1, 2).T
    return float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum() / 2)


@pytest.mark.parametrize("radii", [(1, 1), (3, 1), (900, 20)])
@pytest.mark.parametrize("degrees", [0, 30, -90])
def test_a_polygon_has_the_area_of_its_ellipse(radii: tuple[float, float], degrees: float) -> None:
    polygon = ellipse_polygon((5, 7), radii, degrees=degrees)
    assert _area(polygon) == pytest.approx(math.pi * radii[0] * radii[1])
    assert np.array(polygon).reshape(-1, 2).mean(axis=0) == pytest.approx([5, 7])


def test_an_ellipse_turns_clockwise_about_its_centre() -> None:
    corners = np.array(ellipse_polygon((0, 0), (9, 1), degrees=90)).reshape(-1, 2)
    assert np.abs(corners).max(axis=0) == pytest.approx([1, 9], rel=0.02)
    assert corners[0] == pytest.approx([0, 9], rel=0.02)  # from the right downwards


@pytest.mark.parametrize("radii", [(0, 1), (1, -1), (math.inf, 1), (math.nan, 1)])
def test_radii_that_make_no_ellipse_are_refused(radii: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match=r"radii .* are not above 0"):
        ellipse_polygon((0, 0), radii)


def test_a_rectangle_turns_clockwise_about_its_upper_left_corner() -> None:
    assert rectangle_polygon((1, 2), (4, 3)) == [1, 2, 5, 2, 5, 5, 1, 5]
    turned = rectangle_polygon((1, 2), (4, 3), degrees=90)
    assert turned == pytest.approx([1, 2, 1, 6, -2, 6, -2, 2])
