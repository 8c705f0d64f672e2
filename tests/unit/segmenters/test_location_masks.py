"""The head that a location makes, against a loop over cells; the mask branch's shapes."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from stages.segmenters.location_masks import MaskBranch, location_masks, numbers_of

DIM, HIDDEN, CELL = 3, 2, 4


def slow(
    features: np.ndarray, control: np.ndarray, centre: np.ndarray, stride: float
) -> np.ndarray:
    """One location, cell after cell."""
    sizes = numbers_of(DIM, HIDDEN)
    parts = np.split(control, np.cumsum(sizes)[:-1])
    weights = [parts[0].reshape(HIDDEN, DIM + 2), parts[1].reshape(HIDDEN, HIDDEN), parts[2][None]]
    _, height, width = features.shape
    found = np.zeros((height, width))
    for y in range(height):
        for x in range(width):
            middle = np.array([(x + 0.5) * CELL, (y + 0.5) * CELL])
            values = np.concatenate([features[:, y, x], (centre - middle) / (8 * stride)])
            for layer in range(3):
                values = weights[layer] @ values + parts[3 + layer]
                values = values if layer == 2 else np.maximum(values, 0)
            found[y, x] = values[0]
    return found


def test_a_head_has_the_233_numbers_of_the_paper() -> None:
    assert sum(numbers_of(16, 8)) == 233
    assert numbers_of(16, 8) == [144, 64, 8, 8, 8, 1]


def masks_of(count: int) -> tuple[torch.Tensor, list[np.ndarray]]:
    rng = np.random.default_rng(1)
    features = rng.normal(size=(DIM, 4, 5))
    controls = rng.normal(size=(count, sum(numbers_of(DIM, HIDDEN))))
    centres, strides = rng.uniform(0, 20, (count, 2)), 4.0 * 2 ** rng.integers(0, 3, count)
    maps = [torch.from_numpy(each) for each in (features, controls, centres, strides)]
    seen = location_masks(*maps, hidden=HIDDEN, cell=CELL)
    return seen, [slow(features, *each) for each in zip(controls, centres, strides, strict=True)]


def test_no_location_makes_no_mask() -> None:
    seen, _ = masks_of(0)
    assert seen.shape == (0, 8, 10)


@pytest.mark.parametrize("count", [1, 6])
def test_masks_are_those_of_a_loop_twice_as_fine(count: int) -> None:
    seen, wanted = masks_of(count)
    for mask, small in zip(seen, wanted, strict=True):
        large = F.interpolate(torch.from_numpy(small)[None, None], scale_factor=2, mode="bilinear")
        assert torch.allclose(mask, large[0, 0])


@pytest.mark.parametrize("levels", [2, 3])
def test_the_branch_has_the_size_of_the_finest_level(levels: int) -> None:
    branch = MaskBranch(8, width=16, convs=2, dim=5, levels=levels)
    maps = [torch.randn(2, 8, 12 >> k, 16 >> k) for k in range(5)]
    assert branch(maps).shape == (2, 5, 12, 16)
    others = [maps[0], *(torch.randn_like(each) for each in maps[1:])]
    assert not torch.equal(branch(maps), branch(others))
