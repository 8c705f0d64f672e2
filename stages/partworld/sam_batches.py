"""Training batches for the tiny SAM: scenes to images, prompts and masks of all five levels.

In goes (seed, step), out goes a `Batch`; nothing depends on earlier steps, so that a resumed
training sees what an uninterrupted one would have seen. Scenes are drawn from a sliding window of
the split `sam-train`: each scene is rendered once and met about three times, with new prompts.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from stages.partworld.scenes import LEVELS, SIDE, Scene, render_scene
from stages.sam.tiny import IMAGE_SIDE

GRID = IMAGE_SIDE // 2  # px, side of the low-resolution masks
SPLIT = "sam-train"  # never `train` or `val`: the demo's pictures stay unseen
WINDOW = 600  # scenes kept at hand
MIN_PROMPT_AREA = 40  # px^2 of the 256 px scene; smaller levels are not asked for


@dataclass(frozen=True, slots=True)
class Batch:
    """One training step.

    Attributes
    ----------
    images : (n_images, 3, 128, 128) uint8 RGB.
    dense : (n_images, 8, 64, 64) float, see `sam_losses.dense_loss`.
    point_image, points : (n_points,) int and (n_points, 1, 2) float px of the 128 px image.
    levels : (n_points, 5, 4096) float coverage; duplicate : (n_points, 5) bool.
    triple_image, triples, triple_target : prompts of three points on one mask, and that mask.
    box_image, boxes, box_target : jittered xyxy boxes (n_boxes, 4), px of 128, and their masks.
    """

    images: Tensor
    dense: Tensor
    point_image: Tensor
    points: Tensor
    levels: Tensor
    duplicate: Tensor
    triple_image: Tensor
    triples: Tensor
    triple_target: Tensor
    box_image: Tensor
    boxes: Tensor
    box_target: Tensor


def shrink_image(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Scene image to (128, 128, 3) uint8, with the very resampling that SamPredictor uses."""
    small = Image.fromarray(image).resize((IMAGE_SIDE, IMAGE_SIDE), Image.Resampling.BILINEAR)
    return np.asarray(small)


def coverage(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(256, 256) bool mask to (64, 64) float32 share of each cell that is covered."""
    cells = cv2.resize(mask.astype(np.float32), (GRID, GRID), interpolation=cv2.INTER_AREA)
    return np.asarray(cells, dtype=np.float32)


def cell_counts(scene: Scene) -> NDArray[np.uint8]:
    """(n_leaves + 1, 4096) uint8 pixels of each leaf in each cell of the 64 x 64 grid, 0 to 16."""
    step = SIDE // GRID
    row, column = np.mgrid[0:SIDE, 0:SIDE] // step
    slot = scene.leaf.astype(np.int64) * GRID * GRID + row * GRID + column
    counts = np.bincount(slot.ravel(), minlength=len(scene.table) * GRID * GRID)
    return counts.reshape(len(scene.table), GRID * GRID).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class Ready:
    """A rendered scene with what does not change between its uses.

    Attributes
    ----------
    scene : the scene; image : (128, 128, 3) uint8; dense : (8, 64, 64) float32.
    cells : (n_leaves + 1, 4096) uint8, see `cell_counts`.
    pixels : for each visible object, clutter included, the flat indices of its pixels.
    """

    scene: Scene
    image: NDArray[np.uint8]
    dense: NDArray[np.float32]
    cells: NDArray[np.uint8]
    pixels: tuple[NDArray[np.int64], ...]

    def cover(self, level: int, value: int) -> NDArray[np.float32]:
        """(4096,) float32 share of each cell that the mask `value` of a level covers."""
        rows = np.flatnonzero(self.scene.table[:, level] == value)
        return self.cells[rows].sum(axis=0, dtype=np.float32) / np.float32((SIDE // GRID) ** 2)

    def mask(self, level: int, value: int) -> NDArray[np.bool_]:
        """(256, 256) bool mask `value` of a level."""
        found: NDArray[np.bool_] = (self.scene.table[:, level] == value)[self.scene.leaf]
        return found

    def pick(self, rng: np.random.Generator) -> tuple[int, NDArray[np.int16]]:
        """A flat pixel index, uniform in a random visible object, and the five ids there."""
        inside = self.pixels[rng.integers(len(self.pixels))]
        place = int(inside[rng.integers(len(inside))])
        return place, self.scene.table[self.scene.leaf.flat[place]]


def make_ready(scene: Scene) -> Ready:
    """Everything that the prompts of a scene are built from."""
    whole = scene.level_map("whole").ravel()
    order = np.argsort(whole, kind="stable")
    borders = np.flatnonzero(np.diff(whole[order])) + 1
    pixels = [run for run in np.split(order, borders) if whole[run[0]] > 0]
    image, dense = shrink_image(scene.image), dense_truth(scene)
    return Ready(scene, image, dense, cell_counts(scene), tuple(pixels))


def _levels_at(
    ready: Ready, ids: NDArray[np.int16]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """(5, 4096) coverage of the five masks `ids`, and which ones repeat or are too small."""
    masks, drop, areas = np.zeros((5, GRID * GRID), np.float32), np.ones(5, bool), set[int]()
    for level in range(len(LEVELS)):
        cover = ready.cover(level, ids[level])
        area = round(float(cover.sum()) * (SIDE // GRID) ** 2)
        if area in areas:  # levels nest, hence equal area means equal mask
            continue
        areas.add(area)
        masks[level] = cover
        drop[level] = area < MIN_PROMPT_AREA and level != LEVELS.index("whole")
    return masks, drop


def _random_level(ready: Ready, rng: np.random.Generator) -> tuple[int, int]:
    """A level, whole objects preferred, and the id of one of its masks."""
    _, ids = ready.pick(rng)
    level = int(rng.choice(len(LEVELS), p=[0.08, 0.17, 0.15, 0.42, 0.18]))
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


def _random_mask(scene: Scene, rng: np.random.Generator) -> NDArray[np.bool_]:
    """The mask of one random level at a random place, whole objects preferred."""
    row, column = _pick_pixel(scene, rng)
    level = rng.choice(len(LEVELS), p=[0.08, 0.17, 0.15, 0.42, 0.18])
    ids = scene.table[scene.leaf[row, column]]
    mask: NDArray[np.bool_] = (scene.table[:, level] == ids[level])[scene.leaf]
    return mask


def _jittered_box(mask: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.float32]:
    """(4,) float32 xyxy box around a mask, px of 128, widened by up to 1.35 and shaken."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], dtype=np.float32)
    size = np.tile(box[2:] - box[:2], 2)
    grow = rng.uniform(-0.02, 0.17) * size * np.array([-1, -1, 1, 1])
    moved = np.clip(box + grow + rng.normal(0, 0.03, 4) * size, 0, SIDE)
    return np.asarray(moved * (IMAGE_SIDE / SIDE), dtype=np.float32)


def _offsets(ids: NDArray[np.int16]) -> NDArray[np.float32]:
    """(2, 64, 64) float32 offsets from each cell to the centroid of its id, in image sides."""
    flat = ids.ravel()
    y, x = (grid.ravel() for grid in np.mgrid[0:GRID, 0:GRID].astype(np.float32))
    count = np.maximum(np.bincount(flat), 1)
    centre = [np.bincount(flat, weights=axis)[flat] / count[flat] - axis for axis in (x, y)]
    return np.asarray(np.stack(centre) / GRID, dtype=np.float32).reshape(2, GRID, GRID)


def _edges(ids: NDArray[np.int16]) -> NDArray[np.float32]:
    """(64, 64) float32: share of each cell's pixels that differ from a right or lower neighbour."""
    edge = np.zeros((SIDE, SIDE), bool)
    edge[:, :-1] |= ids[:, 1:] != ids[:, :-1]
    edge[:-1] |= ids[1:] != ids[:-1]
    return np.minimum(coverage(edge) * 4, 1)


def dense_truth(scene: Scene) -> NDArray[np.float32]:
    """(8, 64, 64) float32 truth of the auxiliary head, see `sam_losses.dense_loss`."""
    whole, part = scene.level_map("whole"), scene.level_map("part")
    labelled = np.zeros(int(scene.table[:, 3].max()) + 1, bool)
    labelled[[item.instance_id for item in scene.instances]] = True
    maps = [coverage(labelled[whole]), coverage(whole > 0), _edges(part), _edges(whole)]
    step = SIDE // GRID
    corner = slice(step // 2, None, step)
    offsets = [_offsets(ids[corner, corner]) for ids in (whole, part)]
    return np.concatenate([np.stack(maps), *offsets])


class SceneWindow:
    """A sliding window over the training split; what it holds depends on the step alone."""

    def __init__(self, seed: int, *, per_step: int = 3, window: int = WINDOW) -> None:
        self.seed = seed
        self.per_step = per_step
        self.window = window
        self._held: dict[int, Ready] = {}

    def at(self, step: int, count: int) -> tuple[list[Ready], np.random.Generator]:
        """`count` scenes of the window at `step`, and the step's random generator."""
        first = step * self.per_step
        for old in [index for index in self._held if index < first]:
            del self._held[old]
        rng = np.random.default_rng([self.seed, 77, step])
        chosen = first + rng.choice(self.window, size=count, replace=False)
        return [self._get(int(index)) for index in chosen], rng

    def _get(self, index: int) -> Ready:
        if index not in self._held:
            self._held[index] = make_ready(render_scene(self.seed, SPLIT, index))
        return self._held[index]


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
    n = len(ready)
    image_of = np.repeat(np.arange(n), points_per_image)
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
        triple_image=torch.arange(n),
        triples=torch.from_numpy(np.stack(triple_points)),
        triple_target=torch.from_numpy(np.stack(triple_target)),
        box_image=torch.arange(n),
        boxes=torch.from_numpy(np.stack(box_corners)),
        box_target=torch.from_numpy(np.stack(box_target)),
    )
