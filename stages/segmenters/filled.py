"""The box itself as the mask: what every segmenter of boxes has to beat (BoxCaseg, spec 17).

A baseline without a network, and without a look at the image.
"""

import numpy as np
import torch

from stages.geometry.boxes import touched_pixels
from stages.segmenters.box_segmenter import BoxSegmenter, hard_logits

PACKAGES = ("numpy",)


def model_digest(settings: None) -> str:
    """There are no weights."""
    return ""


def opened_segmenter(settings: None, *, device: torch.device) -> "FilledBox":
    """The segmenter; it has neither keys nor a network."""
    return FilledBox()


class FilledBox(BoxSegmenter):
    """All pixels that a box touches."""

    name = "filled"

    def answer(self, box: np.ndarray) -> tuple[np.ndarray, float]:
        """The filled box, and 1."""
        height, width = self.pixels.shape[0], self.pixels.shape[1]
        mask = np.zeros((height, width), dtype=bool)
        mask[touched_pixels(box, height, width)] = True
        return hard_logits(mask), 1.0
