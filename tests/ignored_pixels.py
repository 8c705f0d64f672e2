"""Labels of which some pixels are to be ignored, and masks that are spoiled there or beside."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from stages.engines.training_images import Sample
from stages.geometry.masks import masks_to_rles, written_rle
from tests.rectangles import SIDE, write_rectangles


def ignoring(folder: Path, *numbers: int) -> Path:
    """Rectangles; annotations of these ids ignore the left half of their box.

    Each has an extra mask, its upper half.
    """
    path = write_rectangles(folder)
    data = json.loads(path.read_text())
    for entry in data["annotations"]:
        x, y, w, h = entry["bbox"]
        mask = np.zeros((1, SIDE, SIDE), dtype=np.uint8)
        mask[0, y : y + h, x : x + w // 2] = 1
        if entry["id"] in numbers:
            entry["ignore_mask"] = written_rle(masks_to_rles(mask)[0])
        entry["extra_masks"] = [[[x, y, x + w, y, x + w, y + h / 2, x, y + h / 2]]]
    path.write_text(json.dumps(data))
    return path


def corrupted(sample: Sample, pixels: Tensor) -> Sample:
    """The sample with all masks turned over at these pixels, (n, h, w) bool."""
    return replace(
        sample,
        masks=torch.where(pixels, 1 - sample.masks, sample.masks),
        extra_masks=torch.where(pixels, 1 - sample.extra_masks, sample.extra_masks),
    )


def beside(sample: Sample) -> Tensor:
    """(n, h, w) bool, the column of pixels right of the ignored ones."""
    ignored = sample.ignore_masks[0].bool()
    return ignored.roll(1, dims=-1) & ~ignored
