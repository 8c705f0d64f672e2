"""Pasting a crop's map back, against tests/golden/boxes.json and a slow loop."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from stages.box_supervision.paste_back import at_size, pasted, stretched

CASE = json.loads((Path(__file__).parents[2] / "golden" / "boxes.json").read_text())["paste_back"]
CHANCES = np.array(CASE["prob_8x8"])


def rows_of(mask: np.ndarray) -> list[str]:
    return ["".join(str(int(value)) for value in row) for row in mask]


def slow(chances: np.ndarray, height: int, width: int) -> np.ndarray:
    """Levels, then a triangle over the pixels that fall to each target pixel, across then down."""
    levels = np.floor(chances * 255)
    across = np.stack([line(row, width) for row in levels])
    return np.stack([line(column, height) for column in across.T]).T / 255


def line(values: np.ndarray, wanted: int) -> np.ndarray:
    """One line resized by a triangle filter that is as wide as the step between target pixels."""
    scale = len(values) / wanted
    reach, made = max(scale, 1.0), []
    for number in range(wanted):
        centre, weights = (number + 0.5) * scale, []
        for place in range(len(values)):
            away = abs(place + 0.5 - centre) / reach
            weights.append(max(1 - away, 0.0))
        total = sum(weight * value for weight, value in zip(weights, values, strict=True))
        made.append(math.floor(total / sum(weights) + 0.5))
    return np.array(made, dtype=float)


def test_golden_stretch() -> None:
    np.testing.assert_allclose(stretched(CHANCES), CASE["minmax_8x8"], atol=1e-6)


@pytest.mark.parametrize(
    ("minmax", "size", "box", "wanted"),
    [
        (True, "image_hw", "box_xyxy", "mask_rows_with_minmax"),
        (False, "image_hw", "box_xyxy", "mask_rows_without_minmax"),
        (True, "image_hw_enlarged", "box_xyxy_enlarged", "mask_rows_enlarged_with_minmax"),
    ],
)
def test_golden(minmax: bool, size: str, box: str, wanted: str) -> None:
    chances = stretched(CHANCES) if minmax else CHANCES
    found = pasted(chances, tuple(CASE[box]), *CASE[size])
    assert rows_of(found > 0.5) == CASE[wanted]


@pytest.mark.parametrize("size", [(1, 1), (5, 6), (8, 8), (14, 20), (3, 40)])
def test_the_resized_map_is_that_of_a_loop_to_a_level(size: tuple[int, int]) -> None:
    chances = np.random.default_rng(2).random((8, 8))
    np.testing.assert_allclose(at_size(chances, *size), slow(chances, *size), atol=1.01 / 255)


def test_a_crop_that_is_all_alike_holds_nothing() -> None:
    assert not stretched(np.full((4, 4), 0.9)).any()


def test_noise_is_not_stretched_to_an_object() -> None:
    flat = np.array([[0.10, 0.12], [0.11, 0.10]])
    assert stretched(flat).max() == 1
    assert stretched(flat, flat=0.05).max() == 0.12
    assert stretched(CHANCES, flat=0.05).max() == 1


def test_outside_the_crop_nothing_is_the_object() -> None:
    found = pasted(np.ones((3, 3)), (2, 1, 5, 4), 6, 7)
    assert found.shape == (6, 7)
    assert found.sum() == 9
    assert found[1:4, 2:5].all()
