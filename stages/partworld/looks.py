"""The looks of PartWorld: how the id map of a scene becomes a picture.

In go a map of leaves, the material of each and a random generator; out goes a picture. Scenes and
masks are the same in every look.
  plain  every part in a colour of its own before a calm background. Colour gives objects away:
         GrabCut in the true box finds most of each mask.
  hard   objects, neighbours and background share one small palette. The background runs from one
         of its colours to the next without an edge, as if out of focus; parts are patterned with
         two of them; light, grain and blur are stronger. Colour gives nothing away, edges, shape
         and what is sharp do.
Neither is in any paper.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.partworld import textures
from stages.partworld.layout import SIDE
from stages.partworld.textures import Material

LOOKS = ("plain", "hard")
COLOURS, APART = 5, 28.0  # of a palette; grey levels between two of them, in one channel or more
MOTTLING = ((4, 1.0), (9, 0.5))  # cells across the image and strength, of what mixes the palette
MIXING = 1.5  # how far the strongest colour outdoes the others; 0 is grey, large has edges
DRIFT = ((5, 10.0), (12, 5.0))  # grey levels by which the background leaves its palette
GRAIN = ((64, 8.0), (128, 6.0))  # grey levels, of objects and background alike
PATTERNED = 0.8  # share of a pattern's step that leads to another colour of the palette
LIGHT, SHADE = 0.12, 0.15  # light over the image, and over each object, more or less than 1
BLUR, SENSOR = 0.9, 4.0  # px; grey levels


def plain(
    leaf: NDArray[np.int16], materials: Sequence[Material], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """(256, 256, 3) uint8 picture of the id map, each leaf in its material, slightly blurred.

    Parameters
    ----------
    leaf : (256, 256) leaf ids, 0 = background. materials : of leaf 1, 2, ...
    """
    picture = textures.background(rng, SIDE)
    base = np.stack([m.base for m in materials])
    contrast = np.stack([m.contrast for m in materials])
    _paint(picture, leaf, materials, base, contrast)
    left, right = (float(value) for value in rng.uniform(-14, 14, 2))
    light = np.linspace(left, right, SIDE, dtype=np.float32)
    picture += light[None, :, None]
    picture = np.asarray(cv2.GaussianBlur(picture, (3, 3), 0.6), np.float32)
    picture += rng.standard_normal((SIDE, SIDE, 1), dtype=np.float32) * np.float32(
        rng.uniform(1, 5)
    )
    return np.clip(picture, 0, 255).astype(np.uint8)


def hard(
    leaf: NDArray[np.int16],
    materials: Sequence[Material],
    rng: np.random.Generator,
    *,
    parts: Sequence[int],
    whole: NDArray[np.int16],
) -> NDArray[np.uint8]:
    """(256, 256, 3) uint8 picture in which no colour belongs to an object alone.

    Parameters
    ----------
    leaf : (256, 256) leaf ids, 0 = background. materials : of leaf 1, 2, ...; their texture stays.
    parts : id of the part of leaf 1, 2, ... whole : (256, 256) ids of objects, 0 = background.
    """
    colours = palette(rng)
    picture = _background(rng, colours)
    base, contrast = _shared_colours(rng, colours, materials, parts)
    _paint(picture, leaf, materials, base, contrast)
    picture += _octaves(rng, GRAIN)
    picture *= _light(rng, whole)
    picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), BLUR), np.float32)
    picture += rng.standard_normal((SIDE, SIDE, 3), dtype=np.float32) * np.float32(SENSOR)
    return np.clip(picture, 0, 255).astype(np.uint8)


def palette(rng: np.random.Generator) -> NDArray[np.float32]:
    """(5, 3) float32 RGB of one scene, grey levels, none too near to another.

    There is always room for the next: the colours that four others forbid are a fifth of all.
    """
    found: list[NDArray[np.float64]] = []
    while len(found) < COLOURS:
        colour = np.clip(rng.uniform(60, 200) + rng.uniform(-45, 45, 3), 5, 250)
        if all(np.abs(colour - other).max() >= APART for other in found):
            found.append(colour)
    return np.array(found, np.float32)


def _paint(
    picture: NDArray[np.float32],
    leaf: NDArray[np.int16],
    materials: Sequence[Material],
    base: NDArray[np.float32],
    contrast: NDArray[np.float32],
) -> None:
    """Paint the leaves onto a background, in the texture of their materials.

    Parameters
    ----------
    picture : (256, 256, 3) grey levels, changed. base, contrast : (n_leaves, 3) grey levels.
    """
    y, x = np.nonzero(leaf)
    ids = leaf[y, x] - 1
    field = np.array([m.field for m in materials])
    shift = np.stack([m.offset for m in materials])[ids]  # (n_px, 2)
    size = textures.FIELD_SIDE
    value = textures.texture_bank()[field[ids], (y + shift[:, 0]) % size, (x + shift[:, 1]) % size]
    picture[y, x] = base[ids] + contrast[ids] * value[:, None]


def _octaves(
    rng: np.random.Generator, octaves: Sequence[tuple[int, float]], *, channels: int = 1
) -> NDArray[np.float32]:
    """(256, 256, channels) float32 smooth noise about 0, of (cells across, strength) each."""
    total = np.zeros((SIDE, SIDE, channels), np.float32)
    for cells, strength in octaves:
        coarse = rng.random((cells, cells, channels), dtype=np.float32) * 2 - 1
        fine = cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        total += np.asarray(fine, np.float32).reshape(total.shape) * np.float32(strength)
    return total


def _background(rng: np.random.Generator, colours: NDArray[np.float32]) -> NDArray[np.float32]:
    """(256, 256, 3) float32: a colour of the palette runs into the next, by a softmax of noise."""
    fields = _octaves(rng, MOTTLING, channels=len(colours)).astype(np.float64)
    weights = np.exp(MIXING * fields)
    mixed = weights @ colours / weights.sum(axis=2, keepdims=True)
    return np.asarray(mixed, np.float32) + _octaves(rng, DRIFT, channels=3)


def _shared_colours(
    rng: np.random.Generator,
    colours: NDArray[np.float32],
    materials: Sequence[Material],
    parts: Sequence[int],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Base and contrast of each leaf, (n_leaves, 3) float32: of the palette, nearly.

    The second leaf of a part is a lighter or darker version of the first, as in `textures.shade`.
    """
    chosen: dict[int, NDArray[np.float64]] = {}
    base, contrast = [], []
    for part, material in zip(parts, materials, strict=True):
        if part in chosen:
            colour = chosen[part] + rng.choice([-1, 1]) * rng.uniform(20, 45)
        else:
            colour = colours[rng.integers(len(colours))] + rng.normal(0, 6, 3)
            chosen[part] = colour
        step = colours[rng.integers(len(colours))] - colour
        base.append(colour)
        contrast.append((1 - PATTERNED) * 0.6 * material.contrast + PATTERNED * step)
    return np.array(base, np.float32), np.array(contrast, np.float32)


def _light(rng: np.random.Generator, whole: NDArray[np.int16]) -> NDArray[np.float32]:
    """(256, 256, 1) float32 factors: smooth light on all, and a gradient over each object."""
    light = 1 + _octaves(rng, ((3, LIGHT),))
    for number in np.unique(whole[whole > 0]):
        y, x = np.nonzero(whole == number)
        angle = rng.uniform(0, 2 * np.pi)
        along = (x - x.mean()) * np.cos(angle) + (y - y.mean()) * np.sin(angle)
        light[y, x, 0] *= 1 + SHADE * along / max(float(np.abs(along).max()), 1.0)
    return light
