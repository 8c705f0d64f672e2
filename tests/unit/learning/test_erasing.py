"""Erasing: one rectangle of zeros, of the area that is said, the same for equal numbers."""

import numpy as np
import pytest
import torch

from stages.learning.erasing import AREA, erased


@pytest.mark.parametrize("seed", range(10))
def test_one_rectangle_is_erased(seed: int) -> None:
    pixels = torch.ones(3, 40, 60)
    seen = erased(pixels, np.random.default_rng(seed))
    gone = (seen == 0).all(dim=0)
    rows, columns = gone.any(dim=1).sum(), gone.any(dim=0).sum()
    assert gone.sum() == rows * columns == (seen == 0).sum() / 3
    assert AREA[0] / 2 <= gone.float().mean() <= AREA[1] * 1.1
    assert torch.equal(pixels, torch.ones(3, 40, 60))
    assert torch.equal(erased(pixels, np.random.default_rng(seed)), seen)


def test_the_smallest_image_does() -> None:
    assert erased(torch.ones(1, 1, 1), np.random.default_rng(0)).sum() == 0
