"""Muted materials and backgrounds for PartWorld.

Every part draws its own material, so that a shirt never has the colour of its legs and colour
alone never joins parts into a whole. Textures are scalar fields from a small constant bank, read
at a random offset: colour = base + field * contrast.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

FIELD_SIDE = 256  # px; the bank wraps around


@dataclass(frozen=True, slots=True)
class Material:
    """How a part is painted.

    Attributes
    ----------
    base : (3,) float32 RGB, grey levels.
    contrast : (3,) float32 RGB step between the two texture colours, grey levels.
    field : row of the texture bank; offset : (2,) int, px, where it is read.
    """

    base: NDArray[np.float32]
    contrast: NDArray[np.float32]
    field: int
    offset: NDArray[np.int64]


def _blotches(rng: np.random.Generator, cells: int) -> NDArray[np.float32]:
    """Smooth noise in [0, 1] with `cells` cells across the image."""
    coarse = rng.random((cells, cells), dtype=np.float32)
    side = (FIELD_SIDE, FIELD_SIDE)
    return np.asarray(cv2.resize(coarse, side, interpolation=cv2.INTER_LINEAR), np.float32)


@cache
def texture_bank() -> NDArray[np.float32]:
    """(n_fields, 256, 256) float32 in [0, 1]: plain, stripes, checks, dots, blotches, gradients."""
    rng = np.random.default_rng(2023)  # a constant of the world, not of the user's seed
    y, x = np.mgrid[0:FIELD_SIDE, 0:FIELD_SIDE].astype(np.float32)
    fields = [np.zeros_like(x)] * 6
    for period, ax, ay in ((8, 1, 0), (8, 0, 1), (16, 1, 0), (16, 0, 1), (16, 1, 1), (16, 1, -1)):
        fields.append((((x * ax + y * ay) % period) < period / 2).astype(np.float32))
    for period in (8, 16):
        fields.append((((x // (period / 2)) + (y // (period / 2))) % 2).astype(np.float32))
        gap = (x % period - period / 2) ** 2 + (y % period - period / 2) ** 2
        fields.append((gap < (0.28 * period) ** 2).astype(np.float32))
    fields += [_blotches(rng, cells) for cells in (12, 12, 24, 24)]
    fields += [np.abs((x % 128) / 64 - 1), np.abs((y % 128) / 64 - 1)]
    return np.stack(fields)


def draw_material(rng: np.random.Generator) -> Material:
    """A random muted material: any colour, second texture colour 22 to 60 grey levels away."""
    base = rng.uniform(25, 230, 3).astype(np.float32)
    step = rng.uniform(22, 60) * np.sign(128 - base.mean())
    contrast = (step * rng.uniform(0.6, 1.0, 3)).astype(np.float32)
    field = int(rng.integers(len(texture_bank())))
    return Material(base, contrast, field, rng.integers(0, FIELD_SIDE, 2))


def shade(rng: np.random.Generator, material: Material) -> Material:
    """A visibly lighter or darker version of `material`, for the next leaf of the same part."""
    step = rng.uniform(28, 62) * rng.choice([-1, 1])
    if not 20 < material.base.mean() + step < 235:
        step = -step
    base = np.clip(material.base + step + rng.normal(0, 9, 3), 5, 250).astype(np.float32)
    return Material(base, material.contrast * np.float32(0.5), material.field, material.offset)


def background(rng: np.random.Generator, side: int) -> NDArray[np.float32]:
    """(side, side, 3) float32 grey levels: sky, ground, flat rectangles, three octaves of noise."""
    canvas = np.empty((side, side, 3), np.float32)
    horizon = int(rng.uniform(0.25, 0.75) * side)
    for band in (slice(None, horizon), slice(horizon, None)):
        canvas[band] = rng.uniform(70, 200) + rng.uniform(-32, 32, 3)
    for _ in range(int(rng.integers(0, 4))):
        x, y = rng.integers(0, side, 2)
        w, h = rng.integers(side // 8, side // 2, 2)
        canvas[y : y + h, x : x + w] += rng.uniform(-22, 22, 3)
    for cells, strength in ((4, 26), (11, 14), (40, 9)):
        canvas += (_blotches(rng, cells)[:side, :side, None] - 0.5) * strength
    return canvas
