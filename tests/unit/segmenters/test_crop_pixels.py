"""Crops as the network sees them: resized by hand, normalised both ways."""

import numpy as np
import pytest

from stages.segmenters.crop_pixels import network_input, resized_crop, resized_mask


def test_a_crop_of_its_own_size_stays_as_it_is() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    assert (resized_crop(pixels, (4, 3, 14, 13), 10) == pixels[3:13, 4:14]).all()


def test_what_is_made_smaller_is_averaged() -> None:
    board = np.indices((16, 16)).sum(axis=0) % 2 * 255
    pixels = board[:, :, None].repeat(3, axis=2).astype(np.uint8)
    assert abs(int(resized_crop(pixels, (0, 0, 16, 16), 4).mean()) - 127) <= 1


@pytest.mark.parametrize("side", [5, 32, 50])
def test_pixels_and_mask_are_cut_alike(side: int) -> None:
    mask = np.zeros((40, 60), dtype=bool)
    mask[10:30, 20:40] = True
    pixels = mask[:, :, None].repeat(3, axis=2).astype(np.uint8) * 255
    crop = (15, 5, 47, 38)
    agree = (resized_crop(pixels, crop, side)[:, :, 0] > 127) == resized_mask(mask, crop, side)
    assert agree.mean() > 0.9


def test_one_norm_for_both_kinds() -> None:
    crops = np.full((2, 4, 4, 3), 255, dtype=np.uint8)
    found = network_input(crops, np.array([False, True]), norm="imagenet")
    assert found.shape == (2, 3, 4, 4)
    wanted = [(1 - 0.485) / 0.229, (1 - 0.456) / 0.224, (1 - 0.406) / 0.225]
    assert found[0, :, 0, 0].tolist() == pytest.approx(wanted, abs=1e-5)
    assert found[0].tolist() == found[1].tolist()


def test_the_authors_norms_differ_by_kind() -> None:
    crops = np.full((2, 4, 4, 3), 51, dtype=np.uint8)
    box, salient = network_input(crops, np.array([False, True]), norm="authors")
    means = np.array([102.98, 115.95, 122.77]) / 255
    assert box[:, 0, 0].tolist() == pytest.approx((0.2 - means).tolist(), abs=1e-6)
    bright = [(1 - 0.485) / 0.229, (1 - 0.456) / 0.224, (1 - 0.406) / 0.225]
    assert salient[:, 0, 0].tolist() == pytest.approx(bright, abs=1e-5)


def test_a_black_salient_image_divides_by_nothing() -> None:
    crops = np.zeros((1, 4, 4, 3), dtype=np.uint8)
    assert network_input(crops, np.array([True]), norm="authors").isfinite().all()
