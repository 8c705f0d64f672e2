"""Soft masks as bytes: what goes in comes out, within the box, and strangers' bytes are refused."""

import zlib

import numpy as np
import pytest

from stages.geometry.boxes import touched_pixels
from stages.geometry.soft_masks import soft_in, soft_of

SIZE = 9, 13
WHOLE = slice(0, 9), slice(0, 13)
CHANCES = np.random.default_rng(0).random(SIZE).astype(np.float32)


@pytest.mark.parametrize(
    "box",
    [(-5, -5, -1, -1), (0, 0, 13, 9), (2, 3, 7, 8), (2.5, 3.2, 6.1, 7.9), (-4, 2, 5, 40)],
    ids=["beside the image", "whole", "inside", "fractions", "over the border"],
)
def test_it_comes_back_within_its_box(box: tuple[float, ...]) -> None:
    corners = np.array(box)
    seen = soft_in(soft_of(CHANCES, corners), corners, WHOLE, *SIZE)
    wanted = np.zeros(SIZE)
    inside = touched_pixels(corners, *SIZE)
    wanted[inside] = CHANCES[inside]
    assert np.abs(seen - wanted).max() <= 0.5 / 255 + 1e-6
    assert seen.dtype == np.float32


def test_bytes_of_255_steps_are_exact() -> None:
    levels = np.arange(9 * 13).reshape(SIZE) * 2 % 256 / np.float32(255)
    box = np.array([0.0, 0, 13, 9])
    assert (soft_in(soft_of(levels, box), box, WHOLE, *SIZE) == levels.astype(np.float32)).all()


@pytest.mark.parametrize(
    "part",
    [WHOLE, (slice(4, 6), slice(3, 9)), (slice(0, 3), slice(0, 2)), (slice(7, 9), slice(5, 13))],
)
def test_a_part_is_cut_out_of_the_whole(part: tuple[slice, slice]) -> None:
    box = np.array([2.0, 3, 7, 8])
    data = soft_of(CHANCES, box)
    assert (soft_in(data, box, part, *SIZE) == soft_in(data, box, WHOLE, *SIZE)[part]).all()


def test_bytes_of_another_box_or_none_are_refused() -> None:
    box = np.array([2.0, 3, 7, 8])
    data = soft_of(CHANCES, box)
    with pytest.raises(ValueError, match="not of the 20 px of its box"):
        soft_in(data, np.array([2.0, 3, 7, 7]), WHOLE, *SIZE)
    with pytest.raises(ValueError, match="damaged"):
        soft_in(b"no bytes of zlib", box, WHOLE, *SIZE)
    with pytest.raises(ValueError, match="not of the 25 px"):
        soft_in(zlib.compress(bytes(1 << 24)), box, WHOLE, *SIZE)
