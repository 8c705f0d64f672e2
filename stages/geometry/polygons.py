"""COCO polygons from strangers: flat lists of x, y in px, held against their image. Pure functions.

pycocotools takes anything: it allocates by the length of the outline, reads null as 0, and draws
what lies outside along the border.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

FAR = 4  # sides of the image: a corner farther out than that is no slip of the hand
LONGEST = 5_000_000  # px of all outlines of a mask; pycocotools takes some 100 bytes for each
POINTS = "a polygon needs at least three points as a flat list of x, y."


def usable_polygons(
    segmentation: Sequence[Any], height: int, width: int
) -> tuple[list[list[float]], int]:
    """The parts of a mask that cover anything of the image.

    Parts of less than three points, and parts outside, are left out where another is usable, as
    detectron2 does.

    Parameters
    ----------
    segmentation : polygons, at least one; or one polygon that is not in a list of its own.

    Returns
    -------
    polygons : flat lists of finite x, y in px, at least one.
    left_out : how many parts are not among them.

    Raises
    ------
    ValueError : a part is no list of pairs of finite numbers, lies farther than FAR sides outside,
        is longer than LONGEST, or no part is usable.
    """
    parts = [_corners(part) for part in _parts(segmentation)]
    side = np.array([width, height], dtype=np.float64)
    for corners in parts:
        _check(corners, side)
    closed = [corners for corners in parts if len(corners) >= 3]
    if not closed:
        raise ValueError(POINTS)
    inside = [corners for corners in closed if _touches(corners, side)]
    if not inside:
        raise ValueError(f"its polygons lie wholly outside the image of {width} x {height} px.")
    if sum(map(_length, inside)) > LONGEST:
        raise ValueError(f"its outlines are longer than {LONGEST} px.")
    return [corners.ravel().tolist() for corners in inside], len(parts) - len(inside)


def _parts(segmentation: Sequence[Any]) -> Sequence[Any]:
    is_flat = all(isinstance(value, int | float) for value in segmentation)
    return [segmentation] if is_flat else segmentation


def _corners(part: Any) -> np.ndarray:
    """(n, 2) float64 of a flat list, or of a list of pairs."""
    try:
        values = np.asarray(part, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ValueError("a polygon holds something that is no number.") from None
    if values.ndim not in (1, 2) or values.size % 2 or (values.ndim == 2 and values.shape[1] != 2):
        raise ValueError(POINTS)
    return values.reshape(-1, 2)


def _check(corners: np.ndarray, side: np.ndarray) -> None:
    if not np.isfinite(corners).all():
        raise ValueError("a polygon holds a number that is not finite (null, NaN or infinity).")
    far = ((corners < -FAR * side) | (corners > (FAR + 1) * side)).any(axis=1)
    if far.any():
        x, y = corners[far][0]
        raise ValueError(
            f"a polygon has the corner ({x:g}, {y:g}), far outside the image of {side[0]:g} x "
            f"{side[1]:g} px."
        )


def _touches(corners: np.ndarray, side: np.ndarray) -> bool:
    """Whether the polygon's box has anything in common with the image."""
    low, high = corners.min(axis=0), corners.max(axis=0)
    return bool((high > 0).all() and (low < side).all())


def _length(corners: np.ndarray) -> float:
    """Of the closed outline, px, the longer side of each step counting."""
    return float(np.abs(corners - np.roll(corners, 1, axis=0)).max(axis=1).sum())
