"""Pseudo-labels, or any COCO file, as what a detector trains on.

Beside COCO's keys an annotation may carry `mask_weight` (0: the box is trained, the mask ignored).
Crowds, and images without any annotation, are left out and counted.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from stages.files.images import image_path, read_rgb
from stages.geometry.boxes import xywh_to_xyxy
from stages.geometry.masks import Rle, rles_to_masks, segmentation_to_rle
from stages.learning.trainer import images_of_step
from stages.readers.coco import labelled, read_coco
from stages.settings.train import Train


@dataclass(frozen=True, slots=True)
class Objects:
    """The annotations of one image.

    boxes : (n, 4) float32 xyxy px. labels : (n,) int64 from 1 (0 is the background).
    rles : (n,) masks. mask_weight : (n,) float32; 0 where the mask is not to be trained.
    """

    boxes: np.ndarray
    labels: np.ndarray
    rles: Sequence[Rle]
    mask_weight: np.ndarray


@dataclass(frozen=True, slots=True)
class Sample:
    """One image as a network takes it.

    pixels : (3, h, w) float32, 0 to 1. boxes : (n, 4) float32. labels : (n,) int64.
    masks : (n, h, w) uint8. mask_weight : (n,) float32.
    """

    image_id: int
    pixels: Tensor
    boxes: Tensor
    labels: Tensor
    masks: Tensor
    mask_weight: Tensor


@dataclass(frozen=True, slots=True)
class Batch:
    """The samples of one step."""

    step: int
    samples: list[Sample]

    @property
    def image_ids(self) -> list[int]:
        """Ids of the images."""
        return [sample.image_id for sample in self.samples]


class Labels:
    """A COCO file with the images that have annotations, ids in order.

    categories : the full list, sorted by id; label k of the network is categories[k - 1].
    without_objects : number of images that were left out.
    """

    def __init__(self, path: Path):
        file = read_coco(path)
        self.path = path
        self.categories = [{"id": c["id"], "name": c["name"]} for c in file.categories]
        self._images = {entry["id"]: entry for entry in file.images}
        self._annotations: dict[int, list[dict[str, Any]]] = {}
        for entry in labelled(file.annotations):
            check_box(entry, path)
            kept = ("id", "category_id", "bbox", "segmentation", "mask_weight")
            slim = {key: entry[key] for key in kept if key in entry}
            self._annotations.setdefault(entry["image_id"], []).append(slim)
        self.image_ids = sorted(self._annotations)
        self.without_objects = len(self._images) - len(self.image_ids)
        self.annotations = sum(map(len, self._annotations.values()))
        if not self.image_ids:
            raise ValueError(f"{path}: all annotations are crowds; there is nothing to train on.")

    def file_name(self, image_id: int) -> str:
        """Path of the image inside its folder."""
        return str(self._images[image_id]["file_name"])

    def objects(self, image_id: int) -> Objects:
        """The image's annotations.

        Raises
        ------
        ValueError : a mask that does not fit its image.
        """
        image, entries = self._images[image_id], self._annotations[image_id]
        size = image["height"], image["width"]
        number = {category["id"]: k for k, category in enumerate(self.categories, start=1)}
        boxes = np.array([entry["bbox"] for entry in entries], dtype=np.float32)
        weights = [_weight(entry) for entry in entries]
        return Objects(
            boxes=xywh_to_xyxy(boxes),
            labels=np.array([number[entry["category_id"]] for entry in entries]),
            rles=[self._rle(entry, size) for entry in entries],
            mask_weight=np.array(weights, dtype=np.float32),
        )

    def _rle(self, entry: dict[str, Any], size: tuple[int, int]) -> Rle:
        if not entry.get("segmentation"):
            return segmentation_to_rle({"size": [*size], "counts": [size[0] * size[1]]}, *size)
        try:
            return segmentation_to_rle(entry["segmentation"], *size)
        except ValueError as error:
            raise ValueError(f"{self.path}: annotation {entry['id']}: {error}") from None


def check_box(entry: dict[str, Any], path: Path) -> None:
    """Raise ValueError unless the annotation has a finite box with an area."""
    box = entry.get("bbox") or []
    if len(box) != 4 or not all(map(math.isfinite, box)) or min(box[2:]) <= 0:
        raise ValueError(
            f"{path}: annotation {entry['id']} has bbox {box!r}, not [x, y, width, height] with an "
            "area. Correct or remove it."
        )


def _weight(entry: dict[str, Any]) -> float:
    return float(entry.get("mask_weight", 1)) if entry.get("segmentation") else 0.0


@dataclass(frozen=True, slots=True)
class StepReader:
    """Reads the batch of a step; depends on the step alone, so it may run in any process."""

    folder: Path
    labels: Labels
    settings: Train
    seed: int

    def __call__(self, step: int) -> Batch:
        """The batch of `step`, images mirrored by chance."""
        keys = images_of_step(self.labels.image_ids, step, self.settings, seed=self.seed)
        return Batch(step, [self._sample(image_id, flip=flip) for image_id, flip in keys])

    def _sample(self, image_id: int, *, flip: bool) -> Sample:
        pixels = read_rgb(image_path(self.folder, self.labels.file_name(image_id)))
        objects = self.labels.objects(image_id)
        masks = rles_to_masks(objects.rles)  # (n, h, w)
        if masks.shape[1:] != pixels.shape[:2]:
            raise ValueError(
                f"image {image_id}: {pixels.shape[:2]} px in the file, {masks.shape[1:]} in "
                f"{self.labels.path}. Give the images that the labels were made for."
            )
        sample = Sample(
            image_id=image_id,
            pixels=to_tensor(pixels),
            boxes=torch.from_numpy(objects.boxes),
            labels=torch.from_numpy(objects.labels),
            masks=torch.from_numpy(masks),
            mask_weight=torch.from_numpy(objects.mask_weight),
        )
        return mirrored(sample) if flip else sample


def to_tensor(pixels: np.ndarray) -> Tensor:
    """(h, w, 3) uint8 to (3, h, w) float32, 0 to 1."""
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1).float() / 255


def mirrored(sample: Sample) -> Sample:
    """The sample with left and right exchanged."""
    boxes = sample.boxes.clone()
    boxes[:, [0, 2]] = sample.pixels.shape[-1] - sample.boxes[:, [2, 0]]
    return Sample(
        image_id=sample.image_id,
        pixels=sample.pixels.flip(-1),
        boxes=boxes,
        labels=sample.labels,
        masks=sample.masks.flip(-1),
        mask_weight=sample.mask_weight,
    )
