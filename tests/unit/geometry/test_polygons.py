"""Polygons of strangers: which parts are usable, and that these are drawn as pycocotools did."""

import json
import math
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from stages.geometry.polygons import LONGEST, usable_polygons

HEIGHT, WIDTH = 30, 40
TRIANGLE = [1.0, 1.0, 9.0, 1.0, 9.0, 7.0]
OUTSIDE = [50.0, 1.0, 60.0, 1.0, 60.0, 9.0]
TOUCHING = [40.0, 1.0, 50.0, 1.0, 50.0, 9.0]  # has the right border in common, and no area
SLIP = [-5.0, -5.0, 45.0, -5.0, 45.0, 35.0]
TWO = [1.0, 1.0, 2.0, 2.0]

USABLE = {
    "one": ([TRIANGLE], 0),
    "one that is flat": (TRIANGLE, 0),
    "whole numbers": ([[1, 1, 9, 1, 9, 7]], 0),
    "digits": ([["1", "1", "9", "1", "9", "7"]], 0),
    "pairs": ([[[1, 1], [9, 1], [9, 7]]], 0),
    "with two points": ([TRIANGLE, TWO], 1),
    "with no points": ([[], TRIANGLE], 1),
    "with one outside": ([OUTSIDE, TRIANGLE], 1),
    "with one on the border": ([TOUCHING, TRIANGLE], 1),
    "with all of these": ([TWO, OUTSIDE, TRIANGLE, [3.0, 3.0]], 3),
}


@pytest.mark.parametrize(("parts", "left_out"), USABLE.values(), ids=USABLE.keys())
def test_parts_that_cover_nothing_are_left_out(parts: Any, left_out: int) -> None:
    assert usable_polygons(parts, HEIGHT, WIDTH) == ([TRIANGLE], left_out)


def test_a_polygon_around_the_image_is_kept_as_it_stands() -> None:
    assert usable_polygons([SLIP], HEIGHT, WIDTH) == ([SLIP], 0)


def zigzag(steps: int) -> list[float]:
    """An outline that runs along the rows to and fro."""
    return [value for step in range(steps) for value in (step % 2 * WIDTH, step % HEIGHT)]


REFUSED = {
    "nothing": ([], "at least three points"),
    "an empty part": ([[]], "at least three points"),
    "two points": ([TWO], "at least three points"),
    "all too short": ([TWO, [1, 1], []], "at least three points"),
    "an odd number": ([[*TRIANGLE, 3.0]], "at least three points"),
    "triples": ([[[1, 1, 0], [9, 1, 0], [9, 7, 0]]], "at least three points"),
    "a number beside a part": ([TRIANGLE, 5], "at least three points"),
    "nested once more": ([[[TRIANGLE]]], "at least three points"),
    "nested deeply": ([json.loads("[" * 70 + "1" + "]" * 70)], "no number|three points"),
    "of odd lengths": ([[[1, 1], [9]]], "something that is no number"),
    "words": ([["a"] * 6], "something that is no number"),
    "text": (["1, 1, 9, 1, 9, 7"], "something that is no number"),
    "an object": ([{"x": 1}], "something that is no number"),
    "a huge whole number": ([[10**400, 1, 9, 1, 9, 7]], "something that is no number"),
    "null": ([[None, 1, 9, 1, 9, 7]], "number that is not finite"),
    "NaN": ([[math.nan, 1, 9, 1, 9, 7]], "number that is not finite"),
    "infinity": ([[math.inf, 1, 9, 1, 9, 7]], "number that is not finite"),
    "NaN beside a good one": ([TRIANGLE, [math.nan] * 6], "number that is not finite"),
    "far away": ([[3.5e8, 1, 9, 1, 9, 7]], r"corner \(3.5e\+08, 1\), far outside .* 40 x 30 px"),
    "far to the left": ([[-161, 1, 9, 1, 9, 7]], r"corner \(-161, 1\), far outside"),
    "far away beside a good one": ([TRIANGLE, [3.5e8, 1]], "far outside the image"),
    "all outside": ([OUTSIDE, TWO], "wholly outside the image of 40 x 30 px"),
    "very long": ([zigzag(LONGEST // WIDTH + WIDTH)], f"longer than {LONGEST} px"),
    "very long together": ([zigzag(LONGEST // WIDTH // 2 + WIDTH)] * 2, f"longer than {LONGEST}"),
}


@pytest.mark.parametrize(("parts", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_drawn_is_refused_in_words(parts: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        usable_polygons(parts, HEIGHT, WIDTH)


def drawn(polygons: Any) -> Any:
    """The code that pycocotools itself makes of polygons."""
    return coco_mask.merge(coco_mask.frPyObjects(polygons, HEIGHT, WIDTH))["counts"]


@pytest.mark.parametrize("seed", range(20))
def test_usable_polygons_are_drawn_as_pycocotools_draws_them(seed: int) -> None:
    rng = np.random.default_rng(seed)
    low, high = [-20, -20], [WIDTH + 20, HEIGHT + 20]
    # the first corner is inside, so each polygon has something in common with the image
    inside = rng.uniform(1, [WIDTH - 1, HEIGHT - 1], (3, 1, 2))
    corners = np.concatenate([inside, rng.uniform(low, high, (3, seed + 2, 2))], axis=1)
    polygons = corners.reshape(3, -1).tolist()
    found, left_out = usable_polygons([polygons[0], TWO, *polygons[1:], OUTSIDE], HEIGHT, WIDTH)
    assert found == polygons
    assert left_out == 2
    assert drawn(found) == drawn(polygons)
