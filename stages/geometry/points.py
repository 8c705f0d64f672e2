"""Drawing one point inside a mask, the way a person would click it. Pure functions."""

import cv2
import numpy as np

MAX_HALF_AXIS = 96.0  # px, limit of the ellipse of quasi-centre points in the authors' code


def uniform_point(mask: np.ndarray, rng: np.random.Generator) -> tuple[float, float]:
    """Centre of a pixel drawn uniformly from `mask`.

    Parameters
    ----------
    mask : (height, width) bool or uint8, at least one pixel set.

    Returns
    -------
    (x, y) px.
    """
    pixels = np.flatnonzero(mask)
    row, column = divmod(int(pixels[rng.integers(len(pixels))]), mask.shape[1])
    return column + 0.5, row + 0.5


def quasi_center_density(mask: np.ndarray, *, sigma: float, size_range: float) -> np.ndarray:
    """Probability of each cell of a mask that was cropped to its box (SAPNet's "QC" points).

    A Gaussian about the centre of the box times the mask, times a small ellipse where that leaves
    anything.

    Parameters
    ----------
    mask : (h, w) bool or uint8, at least one pixel set.
    sigma : of the Gaussian, in box sides; 0.25 in the authors' code.
    size_range : axes of the ellipse, in box sides; 0.25.

    Returns
    -------
    (h, w) float64 that sums to 1.
    """
    density = _gaussian(mask.shape, sigma) * (mask > 0)
    inner = density * _ellipse(mask.shape, size_range)
    chosen = inner if inner.sum() > 0 else density
    return np.asarray(chosen / chosen.sum())


def quasi_center_point(
    mask: np.ndarray, rng: np.random.Generator, *, sigma: float, size_range: float
) -> tuple[float, float]:
    """One point near the centre of a mask that was cropped to its box.

    The authors' code shifts the chosen cell by up to half a pixel to each side; so do we, about the
    cell's centre, which keeps the point inside the pixel.

    Returns
    -------
    (x, y) px, relative to the crop.
    """
    density = quasi_center_density(mask, sigma=sigma, size_range=size_range)
    cell = int(np.searchsorted(np.cumsum(density.ravel()), rng.random(), side="right"))
    row, column = divmod(min(cell, density.size - 1), mask.shape[1])
    jitter = rng.uniform(-0.5, 0.5, size=2)
    return column + 0.5 + float(jitter[0]), row + 0.5 + float(jitter[1])


def _gaussian(shape: tuple[int, ...], sigma: float) -> np.ndarray:
    """Density of the 2-D normal distribution over [-0.5, 0.5] x [-0.5, 0.5]."""
    rows, columns = (np.linspace(-0.5, 0.5, side) if side > 1 else np.zeros(1) for side in shape)
    squares = rows[:, None] ** 2 + columns[None, :] ** 2
    return np.asarray(np.exp(-squares / (2 * sigma**2)) / (2 * np.pi * sigma**2))


def _ellipse(shape: tuple[int, ...], size_range: float) -> np.ndarray:
    height, width = shape
    axes = tuple(round(min(MAX_HALF_AXIS, side * size_range / 2)) for side in (width, height))
    canvas = np.zeros(shape, dtype=np.uint8)
    centre = (round(width / 2), round(height / 2))
    return np.asarray(cv2.ellipse(canvas, centre, axes, 0, 0, 360, 1, -1))
