"""The semantic map against tests/golden/boxes.json and slow loops."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from stages.box_supervision.semantic_map import (
    cell_centres,
    enlarged,
    is_filled,
    semantic_probability,
    similarity,
    unit_vectors,
)

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "boxes.json").read_text())
CASE = GOLDEN["semantic_probability_map"]


def slow(features: np.ndarray, prototypes: np.ndarray, tau: float) -> list[float]:
    """Each pixel against each prototype."""
    chances = []
    for pixel in features:
        cosines = []
        for prototype in prototypes:
            lengths = math.dist(pixel, 0 * pixel) * math.dist(prototype, 0 * prototype)
            cosines.append(sum(a * b for a, b in zip(pixel, prototype, strict=True)) / lengths)
        chances.append(1 / (1 + math.exp(-max(cosines) / tau)))
    return chances


def test_no_pixel_has_no_probability() -> None:
    seen = similarity(np.zeros((0, 3)), np.eye(3))
    assert semantic_probability(seen).shape == (0,)


def test_golden() -> None:
    features, prototypes = np.array(CASE["features_ND"]), np.array(CASE["prototypes_LD"])
    seen = similarity(features, prototypes)
    np.testing.assert_allclose(seen, CASE["max_cosine"], atol=1e-6)
    for tau in (0.1, 1.0):
        wanted = CASE[f"M_S_tau_{tau}"]
        np.testing.assert_allclose(semantic_probability(seen, tau=tau), wanted, atol=1e-6)


@pytest.mark.parametrize("tau", [0.05, 0.1, 1.0])
def test_it_is_that_of_a_loop(tau: float) -> None:
    rng = np.random.default_rng(0)
    features, prototypes = rng.normal(size=(40, 5)), rng.normal(size=(4, 5))
    cosines = similarity(unit_vectors(features), unit_vectors(prototypes))
    seen = semantic_probability(cosines, tau=tau)
    np.testing.assert_allclose(seen, slow(features, prototypes, tau), atol=1e-9)


def test_what_has_no_direction_has_no_length() -> None:
    seen = unit_vectors(np.array([[3.0, 4], [0, 0], [1e-20, 0]]))
    assert seen.tolist() == [[0.6, 0.8], [0, 0], [0, 0]]
    assert is_filled(seen).tolist() == [True, False, False]


def test_a_prototype_without_pixels_counts_for_nothing() -> None:
    opposite = np.array([[-1.0, 0]])
    assert similarity(opposite, np.array([[1.0, 0], [0, 0]])).tolist() == [-1]  # not 0
    with pytest.raises(ValueError, match="without prototypes"):
        similarity(opposite, np.zeros((2, 2)))


def test_no_tau_overflows() -> None:
    with np.errstate(all="raise"):
        seen = semantic_probability(np.array([-1, 0, 1], dtype=np.float32), tau=0.005)
    np.testing.assert_allclose(seen, [0, 0.5, 1], atol=1e-6)


@pytest.mark.parametrize("stride", [4.0, 8.0, 2.5, 1.0])
def test_cells_are_enlarged_as_by_a_loop(stride: float) -> None:
    grid = np.random.default_rng(1).normal(size=(5, 7))
    rows, columns = slice(3, 14), slice(1, 9)
    seen = enlarged(grid, stride, rows, columns)
    assert seen.shape == (11, 8)
    for y in range(3, 14):
        for x in range(1, 9):
            assert seen[y - 3, x - 1] == pytest.approx(slow_value(grid, stride, y, x), abs=1e-6)


def slow_value(grid: np.ndarray, stride: float, y: int, x: int) -> float:
    """A pixel's value: of each cell, by how near its centre is."""
    total = 0.0
    down, across = ((at + 0.5) / stride - 0.5 for at in (y, x))
    down, across = min(max(down, 0), grid.shape[0] - 1), min(max(across, 0), grid.shape[1] - 1)
    for i in range(grid.shape[0]):
        for j in range(grid.shape[1]):
            share = max(0, 1 - abs(i - down)) * max(0, 1 - abs(j - across))
            total += share * grid[i, j]
    return total


def test_a_line_of_slope_1_stays_one() -> None:
    grid = np.tile((np.arange(6) + 0.5) * 4, (3, 1))  # each cell says where its centre is
    seen = enlarged(grid, 4.0, slice(0, 12), slice(2, 22))
    np.testing.assert_allclose(seen[0], np.arange(2, 22) + 0.5, atol=1e-5)


@pytest.mark.parametrize(
    ("size", "stride", "wanted"),
    [(0, 8.0, []), (3, 8.0, [4, 12, 20]), (3, 2.5, [1, 3, 6])],
)
def test_centres_of_cells(size: int, stride: float, wanted: list[int]) -> None:
    assert cell_centres(size, stride).tolist() == wanted
