"""Points drawn in masks, against the authors' numbers and against plain properties."""

import json
from pathlib import Path

import numpy as np
import pytest

from stages.geometry.points import quasi_center_density, quasi_center_point, uniform_point

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "sapnet.json").read_text())["cases"]


def test_quasi_center_density_equals_the_authors_numbers() -> None:
    case = GOLDEN["qc_point"]
    mask = np.ones((case["inputs"]["mask_rows"], case["inputs"]["mask_cols"]), dtype=bool)
    mask[:, case["inputs"]["zero_cols"]] = False
    density = quasi_center_density(mask, sigma=0.25, size_range=0.25)
    cells = {(r, c): p for r, c, p in case["expected"]["nonzero_cells_rc_prob"]}
    assert set(zip(*(axis.tolist() for axis in np.nonzero(density)), strict=True)) == set(cells)
    for (row, column), probability in cells.items():
        assert density[row, column] == pytest.approx(probability, rel=1e-4)


def test_quasi_center_density_without_ellipse_shows_the_gaussian() -> None:
    case = GOLDEN["qc_point"]["expected"]
    mask = np.ones((8, 12), dtype=bool)
    mask[:, :2] = False
    mask[2:7, 3:10] = False  # nothing is left inside the ellipse, so the Gaussian alone counts
    density = quasi_center_density(mask, sigma=0.25, size_range=0.25)
    ratio = density[7, 2] / density[7, 11]
    row = case["gauss_row4"]
    assert ratio == pytest.approx(row[2] / row[11], rel=1e-4)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (9, 1), (30, 40)])
def test_quasi_center_density_sums_to_one(shape: tuple[int, int]) -> None:
    density = quasi_center_density(np.ones(shape), sigma=0.25, size_range=0.25)
    assert density.sum() == pytest.approx(1)


def test_points_lie_in_their_mask() -> None:
    rng = np.random.default_rng(0)
    for _ in range(100):
        mask = rng.random((12, 17)) < 0.2
        mask[3, 4] = True
        for x, y in (
            uniform_point(mask, rng),
            quasi_center_point(mask, rng, sigma=0.25, size_range=0.25),
        ):
            assert mask[int(y), int(x)]


def test_uniform_point_reaches_every_pixel() -> None:
    rng = np.random.default_rng(0)
    mask = np.zeros((3, 3), dtype=bool)
    mask[0, 2] = mask[2, 0] = True
    assert {uniform_point(mask, rng) for _ in range(50)} == {(2.5, 0.5), (0.5, 2.5)}
