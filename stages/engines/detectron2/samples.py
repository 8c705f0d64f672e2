"""Samples as detectron2 takes them: resized, with the fields that the training hooks look at."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from detectron2.data import transforms as T
from detectron2.data.detection_utils import filter_empty_instances
from detectron2.structures import BitMasks, Boxes, Instances
from torch import Tensor

from stages.engines.detectron2.heads import EXTRA_MASKS, IGNORED
from stages.engines.training_images import Sample, StepSamples
from stages.settings.train import Train


@dataclass(frozen=True, slots=True)
class MappedSamples:
    """The images of one step, as detectron2's networks take them."""

    step: int
    image_ids: list[int]
    images: list[dict[str, Any]]
    pasted: int

    def parts(self, number: int) -> list["MappedSamples"]:
        """The images in so many parts, of one image at least; `pasted` stays that of the whole."""
        cuts = [slice(start, None, number) for start in range(min(number, len(self.images)))]
        return [replace(self, image_ids=self.image_ids[c], images=self.images[c]) for c in cuts]


class SampleMapper:
    """Sample to detectron2's dictionary; stands where detectron2 has its DatasetMapper.

    channels : the order that the network wants, RGB or BGR; None: RGB.

    Every object keeps its box, also one without a mask: detectron2's own mapper loses it.
    """

    def __init__(self, settings: Train, *, channels: str | None = "RGB"):
        self.channels = channels
        self.side, self.long_side = settings.test_side, settings.long_side

    def __call__(self, sample: Sample, side: int | None = None) -> dict[str, Any]:
        """Image (3, h, w) uint8, 0 to 255, and its objects as `Instances`.

        side : px, of the shorter side; None: that of inference.
        """
        resize = T.ResizeShortestEdge(side or self.side, self.long_side)
        pixels = (sample.pixels * 255).round().byte().permute(1, 2, 0).numpy()
        pixels = in_order(pixels, self.channels)
        change = resize.get_transform(pixels)
        image = to_image(change.apply_image(pixels))
        instances = Instances(tuple(image.shape[1:]))
        instances.gt_boxes = Boxes(change.apply_box(sample.boxes.numpy().astype(np.float64)))
        instances.gt_boxes.clip(instances.image_size)
        instances.gt_classes = sample.labels - 1  # the background is the last class
        instances.gt_masks = _resized(sample.masks, change, instances.image_size)
        instances.gt_mask_weight = sample.mask_weight
        if len(sample.extra_masks):
            for name, masks in zip(EXTRA_MASKS, sample.extra_masks, strict=True):
                instances.set(name, _resized(masks, change, instances.image_size))
            instances.gt_extra_valid = sample.extra_valid
        for masks in sample.ignore_masks:  # one, or none
            instances.set(IGNORED, _resized(masks, change, instances.image_size))
        kept = filter_empty_instances(instances, by_box=True, by_mask=False)
        return {"image_id": sample.image_id, "image": image, "instances": kept}


def in_order(pixels: np.ndarray, channels: str | None) -> np.ndarray:
    """(h, w, 3) RGB in the order of a network: RGB, BGR, or None for RGB.

    Raises
    ------
    ValueError : it wants another one.
    """
    if channels not in (None, "RGB", "BGR"):
        raise ValueError(f"train.config: its INPUT.FORMAT is {channels}. Set RGB or BGR.")
    return pixels[:, :, ::-1] if channels == "BGR" else pixels


def to_image(pixels: np.ndarray) -> Tensor:
    """(h, w, 3) uint8 to (3, h, w)."""
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))


def _resized(masks: Tensor, change: T.Transform, size: tuple[int, int]) -> BitMasks:
    """(n, h, w) uint8 to masks of the new size."""
    out = np.zeros((len(masks), *size), dtype=np.uint8)
    for number, mask in enumerate(masks.numpy()):
        out[number] = change.apply_segmentation(mask)
    return BitMasks(torch.from_numpy(out))


@dataclass(frozen=True, slots=True)
class MappedReader:
    """Reads and maps the batch of a step; depends on the step alone, may run in any process."""

    read: Callable[[int], StepSamples]
    mapper: SampleMapper

    def __call__(self, step: int) -> MappedSamples:
        """The inputs of `step`."""
        batch = self.read(step)
        return MappedSamples(
            step=step,
            image_ids=batch.image_ids,
            images=[self.mapper(sample, batch.side) for sample in batch.samples],
            pasted=batch.pasted,
        )
