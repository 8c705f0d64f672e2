"""Training batches for the tiny SAM: images, prompts, and masks of all five levels.

In go prepared scenes and a step's random generator, out goes a `Batch` of tensors. Prompts are
single points (ambiguous: every level under them is a target), three points on one mask, and boxes
that are loose by up to a third (both mean one mask of one level).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stages.partworld.layout import SIDE
from stages.partworld.sam_scenes import CELL, GRID, Ready
from stages.partworld.scenes import LEVELS
from stages.segmenters.tiny import IMAGE_SIDE

MIN_PROMPT_AREA = 40  # px^2 of the 256 px scene; smaller levels are not asked for
LEVEL_CHANCES = (0.08, 0.17, 0.15, 0.42, 0.18)  # how often three points or a box mean each level


@dataclass(frozen=True, slots=True)
class Batch:
    """One training step.

    Attributes
    ----------
    images : (n_images, 3, 128, 128) uint8 RGB.
    dense : (n_images, 8, 64, 64) float, see `sam_losses.dense_loss`.
    point_image, points : (n_points,) int and (n_points, 1, 2) float px of the 128 px image.
    levels : (n_points, 5, 4096) float coverage; duplicate : (n_points, 5) bool.
    triples : (n_images, 3, 2) float px of 128, three points on one mask of each image, and
        triple_target : (n_images, 4096) float coverage of that mask.
    boxes : (n_images, 4) float xyxy px of 128, around one mask of each image, and
        box_target : (n_images, 4096) float coverage of that mask.
    """

    images: Tensor
    dense: Tensor
    point_image: Tensor
    points: Tensor
    levels: Tensor
    duplicate: Tensor
    triples: Tensor
    triple_target: Tensor
    boxes: Tensor
    box_target: Tensor


def _levels_at(
    ready: Ready, ids: NDArray[np.int16]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """(5, 4096) coverage of the five masks `ids`, and which ones repeat or are too small."""
    masks, drop, areas = np.zeros((5, GRID * GRID), np.float32), np.ones(5, bool), set[int]()
    for level in range(len(LEVELS)):
        cover = ready.cover(level, ids[level])
        area = round(float(cover.sum()) * CELL**2)
        if area in areas:  # levels nest, hence equal area means equal mask
            continue
        areas.add(area)
        masks[level] = cover
        drop[level] = area < MIN_PROMPT_AREA and level != LEVELS.index("whole")
    return masks, drop


def _random_level(ready: Ready, rng: np.random.Generator) -> tuple[int, int]:
    """A level, whole objects preferred, and the id of one of its masks."""
    _, ids = ready.pick(rng)
    level = int(rng.choice(len(LEVELS), p=LEVEL_CHANCES))
    return level, int(ids[level])


def _to_frame(scene_px: float) -> float:
    """Scene px to px of the 128 px image."""
    return scene_px * IMAGE_SIDE / SIDE


def _points_in(
    mask: NDArray[np.bool_], rng: np.random.Generator, count: int
) -> NDArray[np.float32]:
    """(count, 2) float32 random pixels of a mask, x and y in px of the 128 px image."""
    found = np.flatnonzero(mask)
    place = found[rng.integers(len(found), size=count)]
    xy = np.stack([place % SIDE, place // SIDE], axis=1) + 0.5
    return np.asarray(xy * (IMAGE_SIDE / SIDE), dtype=np.float32)


def _jittered_box(mask: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.float32]:
    """(4,) float32 xyxy box around a mask, px of 128, widened by up to 1.35 and shaken."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], dtype=np.float32)
    size = np.tile(box[2:] - box[:2], 2)
    grow = rng.uniform(-0.02, 0.17) * size * np.array([-1, -1, 1, 1])
    moved = np.clip(box + grow + rng.normal(0, 0.03, 4) * size, 0, SIDE)
    return np.asarray(moved * (IMAGE_SIDE / SIDE), dtype=np.float32)


def build_batch(ready: list[Ready], rng: np.random.Generator, *, points_per_image: int) -> Batch:
    """Prompts and truth for a list of scenes.

    Parameters
    ----------
    ready : the scenes of this step.
    rng : the step's generator.
    points_per_image : single-point prompts per scene, >= 1; every scene also gets one prompt of
        three points and one of a box, on masks of any level.

    Returns
    -------
    Batch of CPU tensors.
    """
    image_of = np.repeat(np.arange(len(ready)), points_per_image)
    points, levels, duplicate = [], [], []
    for index in image_of:
        place, ids = ready[index].pick(rng)
        points.append((_to_frame(place % SIDE + 0.5), _to_frame(place // SIDE + 0.5)))
        masks, drop = _levels_at(ready[index], ids)
        levels.append(masks)
        duplicate.append(drop)
    triples = [_random_level(item, rng) for item in ready]
    boxes = [_random_level(item, rng) for item in ready]
    triple_points = [_points_in(r.mask(*m), rng, 3) for r, m in zip(ready, triples, strict=True)]
    box_corners = [_jittered_box(r.mask(*m), rng) for r, m in zip(ready, boxes, strict=True)]
    triple_target = [r.cover(*m) for r, m in zip(ready, triples, strict=True)]
    box_target = [r.cover(*m) for r, m in zip(ready, boxes, strict=True)]
    images = np.stack([item.image for item in ready]).transpose(0, 3, 1, 2)
    return Batch(
        images=torch.from_numpy(np.ascontiguousarray(images)),
        dense=torch.from_numpy(np.stack([item.dense for item in ready])),
        point_image=torch.from_numpy(image_of),
        points=torch.tensor(points, dtype=torch.float32)[:, None],
        levels=torch.from_numpy(np.stack(levels)),
        duplicate=torch.from_numpy(np.stack(duplicate)),
        triples=torch.from_numpy(np.stack(triple_points)),
        triple_target=torch.from_numpy(np.stack(triple_target)),
        boxes=torch.from_numpy(np.stack(box_corners)),
        box_target=torch.from_numpy(np.stack(box_target)),
    )
