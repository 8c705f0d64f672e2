"""Training scenes of the tiny SAM, prepared once and met several times.

In goes a seed and a step, out go `Ready` scenes: the shrunk image, the truth of the auxiliary head,
and what makes the masks of any level cheap. A sliding window over the split `sam-train` decides
which scenes a step sees, from the step alone: a resumed training sees what an uninterrupted one
would have seen. Each scene is rendered once and met about four times, with new prompts.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stages.partworld.layout import SIDE
from stages.partworld.scenes import Scene, render_scene
from stages.segmenters.tiny import IMAGE_SIDE

GRID = IMAGE_SIDE // 2  # px, side of the low-resolution masks
CELL = SIDE // GRID  # scene px per grid cell
SPLIT = "sam-train"  # never `train` or `val`: the demo's pictures stay unseen
WINDOW = 600  # scenes kept at hand
PER_STEP = 3  # scenes by which the window moves on at each step


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
    row, column = np.mgrid[0:SIDE, 0:SIDE] // CELL
    slot = scene.leaf.astype(np.int64) * GRID * GRID + row * GRID + column
    counts = np.bincount(slot.ravel(), minlength=len(scene.table) * GRID * GRID)
    return counts.reshape(len(scene.table), GRID * GRID).astype(np.uint8)


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
    corner = slice(CELL // 2, None, CELL)
    offsets = [_offsets(ids[corner, corner]) for ids in (whole, part)]
    return np.concatenate([np.stack(maps), *offsets])


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
        return np.asarray(self.cells[rows].sum(axis=0) / CELL**2, np.float32)

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


class SceneWindow:
    """A sliding window over the training split; what it holds depends on the step alone."""

    def __init__(self, seed: int, *, per_step: int = PER_STEP, window: int = WINDOW) -> None:
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
