"""Pseudo-labels, or any COCO file, as what a detector trains on.

Beside COCO's keys an annotation may carry `mask_weight` (0: the box is trained, the mask ignored),
`ignore_mask` (an RLE of pixels that no mask loss looks at), `score`, `extra_masks` (up to three
further RLEs) and `quality.box_fit`. Crowds, and images without any annotation, are left out and
counted.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stages.engines.annotations import EXTRA_MASKS, Rule, check_annotation, slim, weight_of
from stages.engines.copy_paste import (
    copy_paste,
    drawn_instances,
    pastable_instances,
    shown_before,
)
from stages.engines.training_images import Sample, StepSamples, mirrored, to_tensor
from stages.formats.coco import labelled, read_coco
from stages.geometry.boxes import xywh_to_xyxy
from stages.geometry.masks import Rle, rle_areas, rles_to_masks, segmentation_to_rle
from stages.learning.trainer import images_of_step
from stages.photographs.reading import photograph_of_entry
from stages.runtime.faults import Faults
from stages.runtime.processes import ALONE, Team
from stages.runtime.randomness import Purpose, rng_of
from stages.settings.train import Train


@dataclass(frozen=True, slots=True)
class Objects:
    """The annotations of one image.

    boxes : (n, 4) float32 xyxy px. labels : (n,) int64 from 1 (0 is the background).
    rles : (n,) masks. mask_weight : (n,) float32; 0 where the mask is not to be trained.
    score : (n,) float64 in [0, 1]; 1 without. extra_rles : (n,) of up to three masks each.
    ignore_rles : (n,) pixels that no mask loss looks at; empty where no annotation of the file has
    any.
    """

    boxes: np.ndarray
    labels: np.ndarray
    rles: Sequence[Rle]
    mask_weight: np.ndarray
    score: np.ndarray
    extra_rles: Sequence[Sequence[Rle]]
    ignore_rles: Sequence[Rle] = ()


class Labels:
    """A COCO file with the images that have annotations, ids in order.

    extra_masks : False leaves `extra_masks` out of memory, for a training that needs none.
    counts : whether an image counts, by its id; others are as if they were not in the file.
    categories : the full list, sorted by id; label k of the network is categories[k - 1].
    without_objects : number of images that were left out.
    ignores : whether any annotation has an `ignore_mask`; only then are such masks made.
    """

    def __init__(
        self,
        path: Path,
        *,
        extra_masks: bool = True,
        counts: Callable[[int], bool] = lambda image_id: True,
    ):
        file = read_coco(path)
        self.path = path
        self.categories = [{"id": c["id"], "name": c["name"]} for c in file.categories]
        self._images = {entry["id"]: entry for entry in file.images if counts(entry["id"])}
        self._annotations: dict[int, list[dict[str, Any]]] = {}
        faults = Faults(path)
        for entry in labelled(file.annotations):
            if entry["image_id"] not in self._images:
                continue
            kept = slim(entry, extra_masks=extra_masks)
            with faults.caught("faulty annotations", f"annotation {entry['id']}"):
                check_annotation(entry, self._size(entry["image_id"]))
            self._annotations.setdefault(entry["image_id"], []).append(kept)
        faults.check()
        self.ignores = any(entry.get("ignore_mask") for entry in self._entries())
        self.image_ids = sorted(self._annotations)
        self.without_objects = len(self._images) - len(self.image_ids)
        self.annotations = sum(map(len, self._annotations.values()))
        if not self.image_ids:
            where = f"{path}, {len(self._images)} of {len(file.images)} images"
            raise ValueError(f"{where}: all annotations are crowds, or there are none. Label more.")

    def image(self, image_id: int) -> dict[str, Any]:
        """The image's entry in the file."""
        return self._images[image_id]

    def _entries(self) -> Iterator[dict[str, Any]]:
        return chain.from_iterable(self._annotations.values())

    def _size(self, image_id: int) -> tuple[int, int]:
        """(height, width) px."""
        image = self._images[image_id]
        return image["height"], image["width"]

    def masks_ignored(self, rule: Rule = "label") -> int:
        """Number of annotations whose mask is not trained; `rule` as in `objects`."""
        return sum(weight_of(entry, rule) == 0 for entry in self._entries())

    def ignored_shares(self, rule: Rule = "label") -> list[float]:
        """Of each trained mask with ignored pixels: their area over that of its box, at most 1."""
        shares = [
            rle_areas([self._rle(entry, entry["ignore_mask"], image_id)])[0]
            / np.prod(entry["bbox"][2:])
            for image_id, entries in self._annotations.items()
            for entry in entries
            if entry.get("ignore_mask") and weight_of(entry, rule)
        ]
        return [min(float(share), 1.0) for share in shares if share]

    def pastable(self, settings: Train) -> int:
        """Number of annotations that copy-paste may take, if their masks have pixels."""
        entries = list(self._entries())
        weights = np.array([weight_of(entry, settings.mask_weight) for entry in entries])
        scores = np.array([entry.get("score", 1) for entry in entries], dtype=np.float64)
        return int(
            pastable_instances(weights, scores, np.ones(len(entries)), settings.copy_paste).sum()
        )

    def objects(self, image_id: int, rule: Rule = "label") -> Objects:
        """The image's annotations.

        Parameters
        ----------
        rule : what mask weights are: the key mask_weight (1 without; 0 without a mask), or that
            times the score or quality.box_fit of the annotations that have one.

        Raises
        ------
        ValueError : a mask that does not fit its image.
        """
        entries = self._annotations[image_id]
        number = {category["id"]: k for k, category in enumerate(self.categories, start=1)}
        boxes = np.array([entry["bbox"] for entry in entries], dtype=np.float32)
        weights = [weight_of(entry, rule) for entry in entries]
        scores = [entry.get("score", 1) for entry in entries]
        extra = [entry.get("extra_masks", []) for entry in entries]
        return Objects(
            boxes=xywh_to_xyxy(boxes),
            labels=np.array([number[entry["category_id"]] for entry in entries]),
            rles=[self._rle(entry, entry.get("segmentation"), image_id) for entry in entries],
            mask_weight=np.array(weights, dtype=np.float32),
            score=np.array(scores, dtype=np.float64),
            extra_rles=[
                [self._rle(entry, mask, image_id, "extra mask: ") for mask in masks]
                for entry, masks in zip(entries, extra, strict=True)
            ],
            ignore_rles=[
                self._rle(entry, entry.get("ignore_mask"), image_id, "ignore_mask: ")
                for entry in (entries if self.ignores else [])
            ],
        )

    def _rle(self, entry: dict[str, Any], mask: Any, image_id: int, name: str = "") -> Rle:
        size = self._size(image_id)
        if not mask:
            return segmentation_to_rle({"size": [*size], "counts": [size[0] * size[1]]}, *size)
        try:
            return segmentation_to_rle(mask, *size)
        except ValueError as error:
            raise ValueError(f"{self.path}: annotation {entry['id']}: {name}{error}") from None


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
