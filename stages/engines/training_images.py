"""Images with their objects as a network takes them, whatever the engine."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from stages.geometry.box_tensors import mirrored_tensor


@dataclass(frozen=True, slots=True)
class Sample:
    """One image as a network takes it.

    pixels : (3, h, w) float32, 0 to 1, RGB. boxes : (n, 4) float32 xyxy px.
    labels : (n,) int64 from 1. masks : (n, h, w) uint8. mask_weight : (n,) float32, 0 or more.
    extra_masks : (k, n, h, w) uint8; k = 3 with multi-mask supervision, else 0.
    extra_valid : (n, k) bool, which of them are there. ignore_masks : (i, n, h, w) uint8, pixels
    that no mask loss looks at; i = 1 where the labels have any, else 0. pasted : number of pasted
    instances.
    """

    image_id: int
    pixels: Tensor
    boxes: Tensor
    labels: Tensor
    masks: Tensor
    mask_weight: Tensor
    extra_masks: Tensor
    extra_valid: Tensor
    ignore_masks: Tensor
    pasted: int = 0


@dataclass(frozen=True, slots=True)
class StepSamples:
    """The samples of one step. side : px, of their shorter sides in the network."""

    step: int
    samples: list[Sample]
    side: int

    def parts(self, number: int) -> list["StepSamples"]:
        """The samples in so many parts, of one sample at least."""
        parts = [self.samples[start::number] for start in range(number)]
        return [replace(self, samples=part) for part in parts if part]

    @property
    def image_ids(self) -> list[int]:
        """Ids of the images."""
        return [sample.image_id for sample in self.samples]

    @property
    def pasted(self) -> int:
        """Number of pasted instances."""
        return sum(sample.pasted for sample in self.samples)


def to_tensor(pixels: np.ndarray) -> Tensor:
    """(h, w, 3) uint8 to (3, h, w) float32, 0 to 1."""
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1).float() / 255


def mirrored(sample: Sample) -> Sample:
    """The sample with left and right exchanged."""
    return replace(
        sample,
        pixels=sample.pixels.flip(-1),
        boxes=mirrored_tensor(sample.boxes, sample.pixels.shape[-1]),
        masks=sample.masks.flip(-1),
        extra_masks=sample.extra_masks.flip(-1),
        ignore_masks=sample.ignore_masks.flip(-1),
    )
