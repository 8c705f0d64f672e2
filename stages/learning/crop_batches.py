"""Which crops a step of BoxCaseg's training shows; a function of the seed and the step alone.

BoxCaseg (CVPR 2021): crops of boxes, moved and scaled at random, and salient images, resized whole
and cut at random. Where we depart: salient images are flipped horizontally (the code flips them
vertically at random, and horizontally offline), may be cut about their mask, as boxes are, may be
given a neighbour, and may be shrunk to the size of a box.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from stages.box_supervision.box_crops import (
    Crop,
    around,
    box_in_crop,
    draw_of,
    longer_side,
    moved_crop,
)
from stages.box_supervision.composition import Composition, composition, kept_of, taken
from stages.box_supervision.neighbours import with_neighbour
from stages.box_supervision.shrinking import shrunk
from stages.learning.crop_index import CropIndex
from stages.photographs.reading import photograph
from stages.photographs.salient import salient_sample
from stages.runtime.processes import ALONE, Team
from stages.runtime.randomness import Purpose, rng_of
from stages.segmenters.crop_pixels import network_input, resized_crop, resized_mask
from stages.settings.segmenters.boxcaseg import CropTraining, Settings

Sample = tuple[np.ndarray, np.ndarray]  # (side, side, 3) uint8 pixels, (side, side) bool label


@dataclass(frozen=True, slots=True)
class CropBatch:
    """What one step shows.

    step : from 0. pixels : (n, 3, side, side), normalised. labels : (n, side, side) float32 of 0
    and 1, boxes and masks. salient : (n,) bool, which are masks. image_ids : files that are shown.
    """

    step: int
    pixels: Tensor
    labels: Tensor
    salient: Tensor
    image_ids: list[str]

    @property
    def step_ids(self) -> list[str]:
        """What a sentence about a step names."""
        return self.image_ids


@dataclass(frozen=True)
class CropReader:
    """Reads the crops of a step, or this process's part of them.

    Parameters
    ----------
    index : what there is. folder : of the images of table `images`.
    """

    index: CropIndex
    folder: Path
    settings: Settings
    seed: int
    team: Team = ALONE

    @property
    def training(self) -> CropTraining:
        """How the network is trained."""
        return self.settings.training

    @cached_property
    def composed(self) -> Composition:
        """What every batch is made of."""
        boxes, salient = len(self.index.boxes), len(self.index.salient)
        ratio = self.training.box_ratio if boxes and salient else float(bool(boxes))
        return composition(boxes, salient, self.training.batch_images, ratio=ratio)

    def steps(self) -> int:
        """Of the whole training."""
        return self.training.epochs * self.composed.steps

    def __call__(self, step: int) -> CropBatch:
        """The batch of `step`."""
        shown = [(False, place) for place in self.boxes_of(step)]
        shown += [(True, place) for place in self.salient_of(step)]
        mine = self.team.share(list(enumerate(shown)))
        samples = [self._sample(step, slot, *one) for slot, one in mine]
        salient = np.array([is_salient for _, (is_salient, _) in mine], dtype=bool)
        pixels = np.stack([pixels for pixels, _ in samples])
        labels = np.stack([label for _, label in samples]).astype(np.float32)
        return CropBatch(
            step,
            network_input(pixels, salient, norm=self.settings.norm),
            torch.from_numpy(labels),
            torch.from_numpy(salient),
            [self._named(*one) for _, one in mine],
        )

    def boxes_of(self, step: int) -> list[int]:
        """Places of the boxes of a step; an epoch's are drawn anew, crowded ones rarely."""
        if not self.composed.boxes:
            return []
        epoch, place = divmod(step, self.composed.steps)
        rng = rng_of(self.seed, Purpose.CROPS, epoch)
        order = kept_of(self.index.crowded, self.training.overlap_drop, rng)
        return taken(order, place * self.composed.boxes, self.composed.boxes)

    def salient_of(self, step: int) -> list[int]:
        """Places of the salient images of a step; an epoch shows each once."""
        if not self.composed.salient:
            return []
        epoch, place = divmod(step, self.composed.steps)
        order = rng_of(self.seed, Purpose.SALIENT, epoch).permutation(len(self.index.salient))
        return taken(order, place * self.composed.salient, self.composed.salient)

    def _sample(self, step: int, slot: int, is_salient: bool, place: int) -> Sample:
        purpose = Purpose.SALIENT if is_salient else Purpose.CROPS
        rng = rng_of(self.seed, purpose, step, slot + 1)  # an epoch's order has no slot
        if is_salient:
            return salient_item(*self._salient(place, rng), self.training, rng)
        row = self.index.images[int(self.index.of[place])]
        pixels = photograph(self.folder, row)
        return box_item(pixels, self.index.boxes[place], self.training, rng)

    def _salient(self, place: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """A salient image and its mask, beside another and as small as a box where wanted."""
        sample, chances = salient_sample(*self.index.salient[place]), self.training
        if chances.neighbour and rng.random() < chances.neighbour:
            other = self.index.salient[int(rng.integers(len(self.index.salient)))]
            sample = with_neighbour(sample, salient_sample(*other), rng)
        boxes = self.index.boxes
        if chances.shrink and len(boxes) and rng.random() < chances.shrink:
            box = boxes[int(rng.integers(len(boxes)))]
            return shrunk(sample, longer_side(box))
        return sample

    def _named(self, is_salient: bool, place: int) -> str:
        if is_salient:
            return self.index.salient[place][0].name
        return str(self.index.images[int(self.index.of[place])]["file_name"])


def box_item(
    pixels: np.ndarray, box: np.ndarray, training: CropTraining, rng: np.random.Generator
) -> Sample:
    """A crop about a box, and the box in it.

    Parameters
    ----------
    pixels : (height, width, 3) uint8. box : (4,) xyxy px.
    """
    (height, width), side = pixels.shape[:2], training.size
    crop = moved_crop(box, height, width, draw_of(rng))
    sample = resized_crop(pixels, crop, side), box_in_crop(box, crop, side)
    return _flipped(sample, training.flip_boxes, rng)


def salient_item(
    pixels: np.ndarray, mask: np.ndarray, training: CropTraining, rng: np.random.Generator
) -> Sample:
    """A part of a salient image, and of its mask.

    Parameters
    ----------
    pixels : (height, width, 3) uint8. mask : (height, width) bool.
    """
    (height, width), side = mask.shape, training.size
    if training.salient_view == "object":
        crop = moved_crop(around(mask), height, width, draw_of(rng))
        sample = resized_crop(pixels, crop, side), resized_mask(mask, crop, side)
    else:
        whole: Crop = (0, 0, width, height)
        large = training.size_salient
        y, x = rng.integers(large - side + 1, size=2).tolist()
        part = slice(y, y + side), slice(x, x + side)
        sample = resized_crop(pixels, whole, large)[part], resized_mask(mask, whole, large)[part]
    return _flipped(sample, training.flip, rng)


def _flipped(sample: Sample, chance: float, rng: np.random.Generator) -> Sample:
    """Left and right exchanged, with a chance; a number is drawn in any case."""
    if rng.random() >= chance:
        return sample
    return sample[0][:, ::-1], sample[1][:, ::-1]
