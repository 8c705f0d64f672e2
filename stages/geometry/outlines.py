"""Outlines: the rings that bound the pixels of a mask. Pure functions.

A ring is an (n, 2) float64 array of x, y in px from the upper left corner of the image, so that the
centre of the first pixel is (0.5, 0.5); its last point joins its first. Rings run along the edges
of pixels, `INSET` inside of the object. pycocotools, which looks at the centres of pixels, gives
back the same pixels; so does cv2.fillPoly on coordinates cut to whole numbers, which paints every
pixel that the outline is in and would be a pixel too wide on the edges themselves.

Pixels that share a corner alone are two fragments, so that no ring crosses or touches itself. COCO
polygons know no holes: a hole is joined to what lies left of it by a cut, a way of no width there
and back, which a painter does not see.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

INSET = 0.02  # px; two digits hold it, and so do shares with six in images up to 20,000 px


@dataclass(frozen=True, slots=True)
class _Corners:
    """Where an outline turns, sorted by (y, x); the next one in a row lies across.

    x, y : (n,) px, of the pixels' edges. right, down : (n,) to which sides the outline leaves.
    inner : (n,) the outline turns around a pixel that is not the object's.
    """

    x: np.ndarray
    y: np.ndarray
    right: np.ndarray
    down: np.ndarray
    inner: np.ndarray

    def points(self) -> np.ndarray:
        """The corners, moved into the object, (n, 2) float64 px."""
        away = np.where(self.inner, -INSET, INSET)  # from the pixel that it turns around, or to it
        x = self.x + np.where(self.right, away, -away)
        return np.stack([x, self.y + np.where(self.down, away, -away)], axis=1)


def polygons_of(mask: np.ndarray) -> list[np.ndarray]:
    """The outline of each fragment of a mask, its holes joined to it.

    Parameters
    ----------
    mask : (height, width) of bool, or of numbers where all but 0 is the object.

    Returns
    -------
    Rings, (n, 2) float64 px each, in the order of their uppermost corners; none for an empty mask.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return []
    top, left = rows[0], columns[0]
    part = mask[top : rows[-1] + 1, left : columns[-1] + 1] != 0
    corner = np.array([left, top])
    return [ring + corner for ring in _rings(part)]


def single_ring(polygons: Sequence[np.ndarray]) -> np.ndarray:
    """All fragments as one ring: each is joined to those before it by a cut of no width.

    Parameters
    ----------
    polygons : rings, (n, 2) px each, at least one.

    Returns
    -------
    (m, 2) px.
    """
    joined = polygons[0]
    for ring in polygons[1:]:
        there = joined[_nearest(joined, ring.mean(axis=0))]
        near = _nearest(ring, there)
        gate = _nearest(joined, ring[near])
        around = np.roll(ring, -near, axis=0)
        pieces = joined[: gate + 1], around, around[:1], joined[gate:]
        joined = np.concatenate(pieces)
    return joined


def _nearest(points: np.ndarray, point: np.ndarray) -> int:
    """Number of the nearest of (n, 2) points."""
    return int(((points - point) ** 2).sum(axis=1).argmin())


def _rings(mask: np.ndarray) -> list[np.ndarray]:
    """The outline of each fragment of a mask that touches all sides of its array."""
    corners = _corners(mask)
    columns = np.lexsort((corners.down, corners.y, corners.x))  # upper and lower ends in turn
    tour, starts = _toured(columns, corners.inner)
    points = [tuple(point) for point in corners.points().tolist()]
    _join(starts[1], mask, corners, columns=columns, tour=tour, points=points)
    return [_ring(start, tour, points) for start in starts[0]]


def _corners(mask: np.ndarray) -> _Corners:
    pixels = np.pad(mask, 1)
    quarters = pixels[:-1, :-1], pixels[:-1, 1:], pixels[1:, :-1], pixels[1:, 1:]
    count = sum(quarter.astype(np.uint8) for quarter in quarters)
    found = []
    for number, (here, across) in enumerate(zip(quarters, quarters[::-1], strict=True)):
        alone = here & ((count == 1) | ((count == 2) & across))  # two in a diagonal: two corners
        inner = ~here & (count == 3)
        y, x = np.nonzero(alone | inner)
        turns = np.full((2, len(x)), [[number % 2], [number // 2]])
        found.append(np.stack([y, x, *turns, inner[y, x]]))
    y, x, right, down, inside = np.concatenate(found, axis=1)
    order = np.lexsort((right, x, y))  # at a point, what ends there comes before what begins
    return _Corners(x[order], y[order], right[order] > 0, down[order] > 0, inside[order] > 0)


def _toured(columns: np.ndarray, inner: np.ndarray) -> tuple[list[int], tuple[list[int], ...]]:
    """The corner after each corner, and the first corners of outer rings and of holes.

    The uppermost corner comes first, and there a hole turns around a pixel that is not the
    object's. Outer rings run clockwise, holes against it, so that signed areas add up.
    """
    below = np.empty(len(columns), dtype=np.int64)
    below[columns] = columns.reshape(-1, 2)[:, ::-1].reshape(-1)
    vertical, is_inner = below.tolist(), inner.tolist()
    tour = [-1] * len(columns)
    starts: tuple[list[int], list[int]] = [], []
    for start, hole in enumerate(is_inner):
        if tour[start] >= 0:
            continue
        starts[hole].append(start)
        here, turns_down = start, hole
        while tour[here] < 0:
            tour[here] = vertical[here] if turns_down else here ^ 1
            here, turns_down = tour[here], not turns_down
    return tour, starts


def _join(
    holes: Sequence[int],
    mask: np.ndarray,
    corners: _Corners,
    *,
    columns: np.ndarray,
    tour: list[int],
    points: list[tuple[float, float]],
) -> None:
    """Lead the tours around holes into those of the rings that lie left of them, in place.

    Parameters
    ----------
    holes : their first corners, in order, so that cuts into one edge come from above to below.
    """
    upper, lower = columns[::2], columns[1::2]
    places = corners.x[upper] * (len(mask) + 1) + corners.y[upper]  # sorted
    last: dict[int, int] = {}  # the corner after which the next cut into an edge begins
    for hole in holes:
        x, y = int(corners.x[hole]), int(corners.y[hole])
        gaps = np.flatnonzero(~mask[y, :x])
        edge = int(gaps[-1]) + 1 if len(gaps) else 0
        number = int(np.searchsorted(places, edge * (len(mask) + 1) + y, side="right")) - 1
        top, bottom = int(upper[number]), int(lower[number])
        gate = last.get(top, top if tour[top] == bottom else bottom)
        cut, height = len(points), y + 0.5
        points += [(edge + INSET, height), (x - INSET, height)]  # there
        points += [(x - INSET, height), (edge + INSET, height)]  # and back
        tour += [cut + 1, tour[hole], cut + 3, tour[gate]]
        tour[gate], tour[hole] = cut, cut + 2
        last[top] = bottom if gate == bottom else cut + 3


def _ring(start: int, tour: Sequence[int], points: Sequence[tuple[float, float]]) -> np.ndarray:
    """The points of a tour, (n, 2)."""
    found, here = [points[start]], tour[start]
    while here != start:
        found.append(points[here])
        here = tour[here]
    return np.array(found)
