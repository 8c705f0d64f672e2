"""Salient images at the scale of boxes."""

import numpy as np
import pytest

from stages.box_supervision.box_crops import Pair, around
from stages.box_supervision.shrinking import shrunk


def pair(box: tuple[int, int, int, int], height: int = 60, width: int = 90) -> Pair:
    mask = np.zeros((height, width), dtype=bool)
    mask[box[1] : box[3], box[0] : box[2]] = True
    return np.where(mask, 200, 10)[:, :, None].repeat(3, axis=2).astype(np.uint8), mask


@pytest.mark.parametrize("longest", [30, 31.5, 1000])
def test_an_object_that_is_no_longer_stays(longest: float) -> None:
    given = pair((30, 12, 60, 24))
    assert shrunk(given, longest) is given


def test_one_that_would_vanish_stays() -> None:
    given = pair((30, 12, 60, 13))
    assert shrunk(given, 3) is given
    empty = pair((0, 0, 0, 0))
    assert shrunk(empty, 3) is empty


@pytest.mark.parametrize("longest", [3, 10, 15])
def test_image_and_mask_are_scaled_alike(longest: int) -> None:
    pixels, mask = shrunk(pair((30, 12, 60, 24)), longest)
    assert mask.shape == pixels.shape[:2] == (2 * longest, 3 * longest)
    box = around(mask)
    assert (box[2:] - box[:2]).max() == longest
    inside = pixels[:, :, 0] > 105  # the middle of object and ground
    assert (inside == mask).mean() > 0.9
