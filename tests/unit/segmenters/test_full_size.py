"""Enlarging SAM's small logits: the masks of the stock predictor, bit by bit."""

from collections.abc import Callable
from unittest.mock import MagicMock

import numpy as np
import pytest
import torch
from segment_anything import SamPredictor
from segment_anything.modeling import Sam
from segment_anything.utils.amg import calculate_stability_score
from torch.nn import functional as F

from stages.segmenters.full_size import (
    bits_of,
    from_bits,
    full_size,
    masks_above,
    stability_scores,
)

SIZES = [(48, 64), (64, 48), (128, 128), (97, 31), (301, 640), (20, 500), (1, 7)]


@pytest.fixture
def looking_at(sam: Sam) -> Callable[[tuple[int, int]], SamPredictor]:
    def made(size: tuple[int, int]) -> SamPredictor:
        predictor = SamPredictor(sam)
        predictor.set_image(np.zeros((*size, 3), np.uint8))
        return predictor

    return made


def smooth(seed: int, scale: float = 5.0) -> torch.Tensor:
    """(2, 3, 64, 64) logits as wavy as those of a mask."""
    coarse = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(seed)) * scale
    return F.interpolate(coarse, (64, 64), mode="bicubic")


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_masks_are_those_of_the_stock_steps(
    size: tuple[int, int], looking_at: Callable[[tuple[int, int]], SamPredictor]
) -> None:
    predictor = looking_at(size)
    for seed in range(5):
        small = smooth(seed)
        stock = predictor.model.postprocess_masks(small, predictor.input_size, size)
        found = full_size(predictor, small, offset=1.0, logits=True)
        ours = torch.from_numpy(found.logits)
        torch.testing.assert_close(ours, stock, atol=2e-3, rtol=0)
        assert torch.equal(ours > 0, stock > 0)
        np.testing.assert_array_equal(found.masks, (stock > 0).numpy())
        np.testing.assert_array_equal(found.stability, stability_scores(ours, 0.0, 1.0))
        plain = full_size(predictor, small, offset=1.0)
        assert plain.logits is None
        np.testing.assert_array_equal(plain.masks, found.masks)


def test_pixels_on_the_border_of_a_mask_fall_on_the_stock_side(
    looking_at: Callable[[tuple[int, int]], SamPredictor],
) -> None:
    predictor = looking_at((480, 640))
    small = smooth(1, scale=1e-4)  # every pixel lies where rounding may decide
    stock = predictor.model.postprocess_masks(small, predictor.input_size, (480, 640))
    differ = full_size(predictor, small, offset=1.0).masks != (stock > 0).numpy()
    assert differ.mean() < 1e-5


def test_no_mask_is_enlarged_to_none(
    looking_at: Callable[[tuple[int, int]], SamPredictor],
) -> None:
    found = full_size(looking_at((5, 4)), torch.zeros(0, 3, 64, 64), offset=1.0)
    assert (found.masks.shape, found.stability.shape) == ((0, 3, 5, 4), (0, 3))


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("offset", [0.0, 1.0, 4.0])
@pytest.mark.parametrize("away", [4.0, 9.0, 20.0])
def test_what_is_counted_in_a_part_is_all_there_is(
    size: tuple[int, int],
    offset: float,
    away: float,
    looking_at: Callable[[tuple[int, int]], SamPredictor],
) -> None:
    predictor = looking_at(size)
    for seed in range(3):
        small = smooth(seed) - away  # the further, the smaller the masks, down to none
        found = full_size(predictor, small, offset=offset, logits=True)
        whole = stability_scores(torch.from_numpy(found.logits), 0.0, offset)
        np.testing.assert_array_equal(found.stability, whole)


def test_stability_is_that_of_segment_anything_and_0_without_a_pixel() -> None:
    logits = smooth(2)
    stock = calculate_stability_score(logits, 0.0, 1.0).numpy()
    np.testing.assert_array_equal(stability_scores(logits, 0.0, 1.0), stock)
    assert stability_scores(torch.full((1, 1, 4, 4), -9.0), 0.0, 1.0).tolist() == [[0.0]]


def test_masks_are_what_lies_above_the_threshold() -> None:
    logits = smooth(3)
    np.testing.assert_array_equal(masks_above(logits, 0.5), (logits > 0.5).numpy())


@pytest.mark.parametrize("shape", [(2, 3, 5, 7), (1, 1, 8, 8), (1, 1, 1, 1), (0, 3, 4, 4)], ids=str)
def test_masks_leave_a_gpu_as_bits_and_are_the_same(shape: tuple[int, ...]) -> None:
    masks = torch.rand(shape, generator=torch.Generator().manual_seed(4)) > 0.5
    packed = bits_of(masks)
    np.testing.assert_array_equal(packed.numpy(), np.packbits(masks.numpy()))
    np.testing.assert_array_equal(from_bits(packed.numpy(), masks.shape), masks.numpy())


def test_what_is_above_the_threshold_goes_by_bits_where_it_is_not_on_the_cpu() -> None:
    """The device is told otherwise, since there need not be another one."""
    logits = smooth(3)
    wanted = masks_above(logits, 0.5)
    elsewhere = MagicMock(wraps=logits, device=torch.device("meta"), shape=logits.shape)
    elsewhere.__gt__ = lambda _, threshold: logits > threshold
    np.testing.assert_array_equal(masks_above(elsewhere, 0.5), wanted)
