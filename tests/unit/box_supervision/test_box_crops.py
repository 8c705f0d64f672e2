"""Crops of boxes against tests/golden/boxes.json, and by hand."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.box_supervision.box_crops import (
    Draw,
    around,
    box_in_crop,
    covering_crop,
    draw_of,
    moved_crop,
)

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "boxes.json").read_text())


@pytest.mark.parametrize("case", GOLDEN["box_augmentation"]["cases"])
def test_golden_but_for_the_last_row_and_column(case: dict[str, Any]) -> None:
    draws = case["draws"]
    draw = Draw((draws["center_x"], draws["center_y"]), (draws["scale_x"], draws["scale_y"]))
    height, width = case["image_hw"]
    seen = moved_crop(np.array(case["box_xyxy"], dtype=float), height, width, draw)
    last = (width - 1, height - 1)  # where the code stops, and half-open crops go on by a pixel
    wanted = [
        value + int(place > 1 and value == last[place % 2])
        for place, value in enumerate(case["crop_xyxy"])
    ]
    assert list(seen) == wanted


def test_no_draw_leaves_the_box() -> None:
    assert moved_crop(np.array([3.0, 4, 20, 10]), 30, 40, Draw()) == (3, 4, 20, 10)


def test_crops_are_never_empty_and_never_leave_the_image() -> None:
    rng = np.random.default_rng(0)
    for _ in range(500):
        height, width = rng.integers(1, 60, 2).tolist()
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        box = np.array([x, y, x + rng.uniform(0.01, 50), y + rng.uniform(0.01, 50)])
        for crop in (
            moved_crop(box, height, width, draw_of(rng)),
            covering_crop(box, height, width),
        ):
            assert 0 <= crop[0] < crop[2] <= width
            assert 0 <= crop[1] < crop[3] <= height


def test_draws_fill_their_ranges() -> None:
    rng = np.random.default_rng(1)
    draws = [draw_of(rng) for _ in range(400)]
    shifts = np.array([draw.shift for draw in draws])
    scales = np.array([draw.scale for draw in draws])
    assert -0.25 <= shifts.min() < -0.24
    assert 0.24 < shifts.max() <= 0.25
    assert 0.5 <= scales.min() < 0.51
    assert 1.49 < scales.max() <= 1.5


@pytest.mark.parametrize(
    ("box", "margin", "wanted"),
    [
        ([5, 6, 15, 16], 1.0, (5, 6, 15, 16)),
        ([5.4, 6.6, 14.2, 15.9], 1.0, (5, 6, 15, 16)),  # all that it touches
        ([5, 6, 15, 16], 1.2, (4, 5, 16, 17)),
        ([-3, -2, 100, 7.5], 1.0, (0, 0, 40, 8)),  # cut at the border
        ([39.9, 29.9, 50, 50], 1.0, (39, 29, 40, 30)),
        ([60, 2, 70, 3], 1.0, (39, 2, 40, 3)),  # beside the image
    ],
)
def test_the_crop_that_is_asked_about_covers_the_box(
    box: list[float], margin: float, wanted: tuple[int, ...]
) -> None:
    assert covering_crop(np.array(box, dtype=float), 30, 40, margin=margin) == wanted


def test_the_box_in_a_crop_is_that_of_a_loop_over_centres() -> None:
    box, crop, side = np.array([12.3, 5.0, 31.9, 20.5]), (8, 2, 40, 18), 7
    seen = box_in_crop(box, crop, side)
    for row in range(side):
        for column in range(side):
            x = 8 + (column + 0.5) * 32 / side
            y = 2 + (row + 0.5) * 16 / side
            assert seen[row, column] == (12.3 <= x < 31.9 and 5.0 <= y < 20.5)


def test_the_box_around_a_mask_is_half_open() -> None:
    mask = np.zeros((5, 8), dtype=bool)
    assert around(mask).tolist() == [0, 0, 8, 5]
    mask[2, 3] = mask[3, 6] = True
    assert around(mask).tolist() == [3, 2, 7, 4]
