"""Which images a step of SIM's teacher shows, and how large; a function of seed and step alone.

BoxInst (CVPR 2021) and SIM (CVPR 2023): images are mirrored at random and resized so that the
shorter side is one of several lengths. Colours are looked at on the grid of the mask losses, each
cell the mean of its pixels.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from stages.box_supervision.colour_pairs import colour_similarity
from stages.box_supervision.lab import lab_of
from stages.geometry.boxes import clip_boxes, mirrored_boxes
from stages.learning.sim_donors import donor_of
from stages.learning.sim_index import TeacherIndex
from stages.learning.sim_masks import Shown, pseudo_masks
from stages.learning.sim_pasting import pasted_onto
from stages.learning.trainer import images_of_step
from stages.photographs.reading import photograph
from stages.runtime.processes import ALONE, Team
from stages.runtime.randomness import Purpose, rng_of
from stages.segmenters.location_masks import FINER
from stages.segmenters.sim_pixels import network_batch, padded_size, resized, shown_size
from stages.settings.segmenters.sim import Settings, TeacherTraining


@dataclass(frozen=True, slots=True)
class TeacherBatch:
    """What one step shows.

    step : from 0. pixels : (n, 3, H, W), normalised. similarity : (n, 8, h, w), of colours.
    shown : the n images. image_ids : of this process, step_ids : of all.
    """

    step: int
    pixels: Tensor
    similarity: Tensor
    shown: list[Shown]
    image_ids: list[int]
    step_ids: list[int]


@dataclass(frozen=True, slots=True)
class TeacherReader:
    """Reads the images of a step, or this process's part of them.

    Parameters
    ----------
    index : what there is. folder : of the images of table `images`.
    """

    index: TeacherIndex
    folder: Path
    settings: Settings
    seed: int
    team: Team = ALONE

    @property
    def training(self) -> TeacherTraining:
        """How the network is trained."""
        return self.settings.training

    def __call__(self, step: int) -> TeacherBatch:
        """The batch of `step`."""
        ids = self.index.image_ids
        whole = images_of_step(ids, step, self.training, seed=self.seed)
        mine = self.team.share(whole)
        shown = [self._shown(step, image_id, flip=flip) for image_id, flip in mine]
        if self.training.paste.enabled:
            ids = [image_id for image_id, _ in mine]
            shown = [self._pasted_into(o, step, i) for o, i in zip(shown, ids, strict=True)]
        cell = self.settings.stride // FINER
        bottom = self.training.invalid_bottom
        return TeacherBatch(
            step,
            network_batch([one.pixels for one in shown]) if shown else torch.zeros(0, 3, 0, 0),
            similarities([one.pixels for one in shown], cell=cell, bottom=bottom),
            shown,
            [image_id for image_id, _ in mine],
            [image_id for image_id, _ in whole],
        )

    def _shown(self, step: int, image_id: int, *, flip: bool) -> Shown:
        objects = self.index.objects[image_id]
        pixels, (height, width) = self._pixels(step, image_id, flip=flip)
        size = pixels.shape[:2]
        boxes, former = clip_boxes(objects.boxes, height, width), objects.former
        boxes = mirrored_boxes(boxes, width) if flip else boxes
        kept = np.flatnonzero((boxes[:, 2:] > boxes[:, :2]).all(axis=1))
        factors = np.array([size[1] / width, size[0] / height] * 2)
        return Shown(
            pixels,
            torch.from_numpy((boxes[kept] * factors).astype(np.float32)),
            torch.from_numpy(objects.classes[kept]),
            pseudo_masks([former[i] for i in kept], (height, width), size, flip=flip),
        )

    def _pixels(
        self, step: int, image_id: int, *, flip: bool
    ) -> tuple[np.ndarray, tuple[int, int]]:
        """(h, w, 3) as the network sees an image, and the image's own height and width, px."""
        image = photograph(self.folder, self.index.images[image_id])
        height, width = image.shape[:2]
        short = self._short_side(step, image_id)
        size = shown_size(height, width, short_side=short, long_side=self.settings.long_side)
        pixels = resized(image, size)
        return pixels[:, ::-1] if flip else pixels, (height, width)

    def _pasted_into(self, target: Shown, step: int, image_id: int) -> Shown:
        """The image with objects of another one by chance, as that one is shown in the epoch."""
        donor = donor_of(self.index, step, image_id, self.training, seed=self.seed)
        if donor is None:
            return target
        pixels, size = self._pixels(step, donor.image_id, flip=donor.flip)
        objects = self.index.objects[donor.image_id]
        former = [objects.former[i] for i in donor.rows]
        masks = pseudo_masks(former, size, pixels.shape[:2], flip=donor.flip)
        classes = torch.from_numpy(objects.classes[donor.rows])
        least = self.settings.stride // FINER
        return pasted_onto(target, pixels, masks, classes, least=least)

    def _short_side(self, step: int, image_id: int) -> int:
        """Px, drawn anew for each image and epoch where there is a choice."""
        sizes = self.training.sizes
        if isinstance(sizes, int):
            return sizes
        epoch = step // -(-len(self.index.objects) // self.training.batch_images)
        rng = rng_of(self.seed, Purpose.TEACHER, epoch, image_id)
        return sizes[int(rng.integers(len(sizes)))]


def similarities(images: list[np.ndarray], *, cell: int, bottom: int) -> Tensor:
    """How alike the colours of neighbouring cells are, image after image.

    Parameters
    ----------
    images : (h, w, 3) uint8 each. cell : px of a cell's side. bottom : px at the lower edge that
        are not looked at.

    Returns
    -------
    (n, 8, H, W) of 0 to 1 on the grid of `padded_size`; 0 beside cells that are not whole.
    """
    if not images:
        return torch.zeros(0, 8, 0, 0)
    height, width = (side // cell for side in padded_size([i.shape[:2] for i in images]))
    return torch.stack([_similarity(i, height, width, cell, bottom) for i in images])


def _similarity(image: np.ndarray, height: int, width: int, cell: int, bottom: int) -> Tensor:
    rows, columns = image.shape[0] // cell, image.shape[1] // cell
    whole = torch.from_numpy(np.ascontiguousarray(image[: rows * cell, : columns * cell])).float()
    means = F.avg_pool2d(whole.permute(2, 0, 1), cell).permute(1, 2, 0)  # (rows, columns, 3)
    lab = torch.zeros(height, width, 3)
    lab[:rows, :columns] = torch.from_numpy(lab_of(means.numpy())).float()
    valid = torch.zeros(height, width)
    valid[: max((image.shape[0] - bottom) // cell, 0), :columns] = 1
    return colour_similarity(lab, valid)
