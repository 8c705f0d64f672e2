"""Photographs as SIM's teacher sees them: sizes, and a batch of several."""

import numpy as np
import pytest

from stages.segmenters.sim_pixels import factor_of, network_batch, padded_size, resized, shown_size


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        ((480, 640), (800, 1067)),  # 1066.67: the last pixel is whole
        ((640, 480), (1067, 800)),
        ((800, 1333), (800, 1333)),
        ((300, 1000), (400, 1333)),  # 399.9: the longer side decides
        ((1, 1000), (2, 1333)),
    ],
)
def test_sides_are_those_of_the_paper(size: tuple[int, int], shown: tuple[int, int]) -> None:
    assert shown_size(*size, short_side=800, long_side=1333) == shown
    factor = factor_of(*size, short_side=800, long_side=1333)
    assert all(0 <= b - a * factor < 1 for a, b in zip(size, shown, strict=True))


def test_a_batch_is_padded_with_the_mean_colour() -> None:
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, shape, dtype=np.uint8) for shape in ((40, 64, 3), (64, 33, 3))]
    assert padded_size([(40, 64), (64, 33)]) == (64, 64)
    batch = network_batch(images)
    assert batch.shape == (2, 3, 64, 64)
    assert (batch[0, :, 40:] == 0).all()
    assert (batch[1, :, :, 33:] == 0).all()
    wanted = (images[1][5, 7] / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    assert batch[1, :, 5, 7].tolist() == pytest.approx(wanted.tolist(), abs=1e-5)


def test_what_becomes_smaller_is_averaged() -> None:
    checks = np.indices((8, 8)).sum(0) % 2 * 255
    image = np.repeat(checks[:, :, None], 3, axis=2).astype(np.uint8)
    small = resized(image, (4, 4))
    assert small.shape == (4, 4, 3)
    assert np.abs(small.astype(int) - 128).max() <= 1
    assert resized(image, (16, 12)).shape == (16, 12, 3)
