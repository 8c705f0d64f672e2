"""The images of a training step with their objects, mirrored and pasted into by chance."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from stages.engines.annotations import EXTRA_MASKS
from stages.engines.copy_paste import (
    copy_paste,
    drawn_instances,
    pastable_instances,
    shown_before,
)
from stages.engines.training_images import Sample, StepSamples, mirrored, to_tensor
from stages.engines.training_labels import Labels, Objects
from stages.geometry.masks import rle_areas, rles_to_masks
from stages.learning.trainer import images_of_step
from stages.photographs.reading import photograph_of_entry
from stages.runtime.processes import ALONE, Team
from stages.runtime.randomness import Purpose, rng_of
from stages.settings.train import Train


@dataclass(frozen=True, slots=True)
class StepReader:
    """Reads the batch of a step; depends on the step alone, so it may run in any process."""

    folder: Path
    labels: Labels
    settings: Train
    seed: int
    team: Team = ALONE

    def __call__(self, step: int) -> StepSamples:
        """The batch of `step`, images mirrored and pasted into by chance; a team's own slice."""
        keys = images_of_step(self.labels.image_ids, step, self.settings, seed=self.seed)
        places = self.team.share(list(enumerate(keys)))
        shown = [(place, self._sample(image_id, flip=flip)) for place, (image_id, flip) in places]
        if self.settings.copy_paste.enabled:
            shown = [(k, self._pasted_into(sample, step, k)) for k, sample in shown]
        return StepSamples(step, [sample for _, sample in shown], self._side(step))

    def _side(self, step: int) -> int:
        """Shorter side of the images of a step, px; depends on the step alone."""
        sides = self.settings.sides
        return sides[int(rng_of(self.seed, Purpose.SIDE, step).integers(len(sides)))]

    def _pasted_into(self, sample: Sample, step: int, position: int) -> Sample:
        """The sample with instances of another image by chance; depends on step and position."""
        paste = self.settings.copy_paste
        rng = rng_of(self.seed, Purpose.PASTE, step, position)
        if rng.random() >= paste.chance:
            return sample
        ids = self.labels.image_ids
        for image_id, flip in shown_before(ids, step, self.settings, rng, seed=self.seed):
            objects = self.labels.objects(image_id, self.settings.mask_weight)
            areas = rle_areas(objects.rles)
            rows = np.flatnonzero(
                pastable_instances(objects.mask_weight, objects.score, areas, paste)
            )
            if len(rows) and image_id != sample.image_id:
                rows = rows[drawn_instances(objects.score[rows], paste, rng)]
                source = self._sample(image_id, flip=flip)
                return copy_paste(sample, source, rows, min_visible=paste.min_visible)
        return sample

    def _sample(self, image_id: int, *, flip: bool) -> Sample:
        pixels = photograph_of_entry(self.folder, self.labels.image(image_id))
        objects = self.labels.objects(image_id, self.settings.mask_weight)
        masks = rles_to_masks(objects.rles)  # (n, h, w)
        number = EXTRA_MASKS if self.settings.multi_mask.enabled else 0
        extra = extra_of(objects, number, masks.shape[1:])
        sample = Sample(
            image_id=image_id,
            pixels=to_tensor(pixels),
            boxes=torch.from_numpy(objects.boxes),
            labels=torch.from_numpy(objects.labels),
            masks=torch.from_numpy(masks),
            mask_weight=torch.from_numpy(objects.mask_weight),
            extra_masks=torch.from_numpy(extra),
            extra_valid=torch.from_numpy(extra.any(axis=(2, 3)).T),
            ignore_masks=torch.from_numpy(ignored_of(objects, masks.shape)),
        )
        return mirrored(sample) if flip else sample


def extra_of(objects: Objects, number: int, size: tuple[int, ...]) -> np.ndarray:
    """The extra masks of an image, (number, n, h, w) uint8; empty where there is none.

    size : (h, w) px.
    """
    extra = np.zeros((number, len(objects.rles), *size), dtype=np.uint8)
    for row, rles in enumerate(objects.extra_rles):
        if rles and number:
            extra[: len(rles), row] = rles_to_masks(rles)
    return extra


def ignored_of(objects: Objects, shape: tuple[int, ...]) -> np.ndarray:
    """The ignored pixels of an image's objects, (1, n, h, w) uint8; (0, n, h, w) without any.

    shape : (n, h, w).
    """
    if not objects.ignore_rles:
        return np.zeros((0, *shape), dtype=np.uint8)
    return rles_to_masks(objects.ignore_rles)[None]
