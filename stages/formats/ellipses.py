"""Shapes of other tools as polygons: ellipses and circles, and rectangles that were turned.

In and out come px, or any unit that is the same along both axes. Standard library alone.
"""

import math

FEWEST, MOST = 32, 720  # corners
BY_ROOT = 8  # corners, times the root of the radius in px: sides stay within 0.1 px of the rim


def ellipse_polygon(
    center: tuple[float, float], radii: tuple[float, float], *, degrees: float = 0.0
) -> list[float]:
    """Corners of a polygon with the area of an ellipse, as a flat list of x, y.

    Parameters
    ----------
    degrees : by which the ellipse is turned about its centre, clockwise as seen.

    Raises
    ------
    ValueError : a radius is not above 0, or not finite.
    """
    if not all(0 < radius < math.inf for radius in radii):
        raise ValueError(f"its radii {radii[0]:g} and {radii[1]:g} are not above 0")
    count = min(MOST, max(FEWEST, math.ceil(BY_ROOT * math.sqrt(max(radii)))))
    step = 2 * math.pi / count
    grown = math.sqrt(step / math.sin(step))  # the polygon within would be smaller
    rim = [
        (radii[0] * grown * math.cos(step * k), radii[1] * grown * math.sin(step * k))
        for k in range(count)
    ]
    return _turned(center, rim, degrees)


def rectangle_polygon(
    corner: tuple[float, float], size: tuple[float, float], *, degrees: float = 0.0
) -> list[float]:
    """The four corners of a rectangle, as a flat list of x, y.

    Parameters
    ----------
    corner : the upper left one. size : width and height. degrees : by which the rectangle is
        turned about that corner, clockwise as seen.
    """
    width, height = size
    return _turned(corner, [(0, 0), (width, 0), (width, height), (0, height)], degrees)


def _turned(
    center: tuple[float, float], offsets: list[tuple[float, float]], degrees: float
) -> list[float]:
    """Points at offsets from a centre, after a turn about it; flat."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    flat = []
    for x, y in offsets:
        flat += [center[0] + x * cosine - y * sine, center[1] + x * sine + y * cosine]
    return flat
