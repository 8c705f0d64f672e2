"""Outlines against the painters that read them: pycocotools, and cv2 on whole numbers."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco_mask

from stages.geometry.outlines import INSET, polygons_of, single_ring

SHAPES = {
    "one pixel": ["#"],
    "a bar": ["####"],
    "an L": ["#.", "##"],
    "a ring": ["###", "#.#", "###"],
    "two holes in a row": ["#####", "#.#.#", "#####"],
    "two holes that share a corner": ["####", "#.##", "##.#", "####"],
    "holes below one another, cut into one edge": ["####", "##.#", "####", "##.#", "####"],
    "an island in a hole": ["#####", "#...#", "#.#.#", "#...#", "#####"],
    "a hole right of an island's hole": [
        "#######.##",
        "#.....#.##",
        "#.###.####",
        "#.#.#.#.##",
        "#.###.####",
        "#.....#.##",
        "#######.##",
    ],
    "fragments": ["##..#", ".....", "#...#"],
    "fragments that share a corner": ["#.#", ".#.", "#.#"],
    "a hole that touches the outside by a corner": [".###", "#.##", "####"],
}


def mask_of(rows: Sequence[str]) -> np.ndarray:
    return np.array([[sign == "#" for sign in row] for row in rows])


def by_pycocotools(rings: Sequence[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    flat = [ring.round(2).reshape(-1).tolist() for ring in rings]
    rles = coco_mask.frPyObjects(flat, *shape)
    return coco_mask.decode(coco_mask.merge(rles)).astype(bool)


def by_cv2(rings: Sequence[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    painted = np.zeros(shape, np.uint8)
    for ring in rings:
        cv2.fillPoly(painted, [ring.astype(np.int32)], 1)
    return painted.astype(bool)


def check(mask: np.ndarray) -> None:
    rings = polygons_of(mask)
    assert (by_pycocotools(rings, mask.shape) == mask).all()
    assert (by_pycocotools([single_ring(rings)], mask.shape) == mask).all()
    assert (by_cv2(rings, mask.shape) == mask).all()


def test_an_empty_mask_has_no_outline() -> None:
    assert polygons_of(np.zeros((0, 0))) == polygons_of(np.zeros((3, 4))) == []


def test_the_outline_of_a_pixel_lies_inside_its_edges() -> None:
    (ring,) = polygons_of(np.pad([[1]], ((2, 0), (3, 5))))
    assert sorted(ring[:, 0]) == [3 + INSET] * 2 + [4 - INSET] * 2
    assert sorted(ring[:, 1]) == [2 + INSET] * 2 + [3 - INSET] * 2


@pytest.mark.parametrize("rows", SHAPES.values(), ids=SHAPES.keys())
@pytest.mark.parametrize("border", [0, 2])
def test_painters_give_back_the_same_pixels(rows: list[str], border: int) -> None:
    check(np.pad(mask_of(rows), border))
    check(np.pad(mask_of(rows).T, border))


@pytest.mark.parametrize("share", [0.1, 0.4, 0.6, 0.9])
def test_painters_give_back_noise(share: float) -> None:
    rng = np.random.default_rng(7)
    for _ in range(25):
        check(rng.random((23, 17)) < np.sqrt(share) * rng.random() ** 0.1)


@pytest.mark.parametrize("rows", SHAPES.values(), ids=SHAPES.keys())
def test_signed_areas_add_up_to_the_mask_of_which_only_corners_are_kept(rows: list[str]) -> None:
    mask = mask_of(rows)
    area, corners = 0.0, 0
    for ring in polygons_of(mask):
        x, y = ring.T
        area += (x * np.roll(y, -1) - y * np.roll(x, -1)).sum() / 2
        corners += len(ring)
    assert abs(area - mask.sum()) <= 2 * INSET * corners * max(mask.shape)


def test_points_on_a_straight_line_are_left_out() -> None:
    (ring,) = polygons_of(np.ones((40, 60)))
    assert len(ring) == 4


def test_fragments_become_one_ring_with_all_their_points() -> None:
    rings = polygons_of(mask_of(SHAPES["fragments"]))
    joined = single_ring(rings)
    assert len(rings) == 4
    assert len(joined) == sum(map(len, rings)) + 2 * (len(rings) - 1)
    assert single_ring(rings[:1]) is rings[0]
