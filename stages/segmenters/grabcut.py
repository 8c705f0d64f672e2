"""GrabCut: colours of the box against colours around it (Rother et al., 2004), OpenCV's.

A baseline without a network. What is looked at is the box and a margin about it: pixels outside the
box are background, those inside perhaps the object, and `core` of them surely. It cuts by colour
alone, so it does well on drawn scenes and badly on photographs.

Where there is no background to learn from, the box filling its image, or where nothing is left of
the object, the answer is the filled box: a box is never about nothing.
"""

import cv2
import numpy as np
import torch

from stages.geometry.boxes import scale_boxes, touched_pixels
from stages.segmenters.box_segmenter import BoxSegmenter, hard_logits
from stages.settings.segmenters.grabcut import Settings

PACKAGES = ("numpy", "opencv-python-headless")
SEED = 0  # of OpenCV's k-means, anew for each box: an answer does not depend on those before it
SIZE = 65  # numbers of a colour model, 5 Gaussians
NOWHERE = (0, 0, 1, 1)  # a rectangle, which OpenCV does not read where a mask is given


def model_digest(settings: Settings) -> str:
    """There are no weights."""
    return ""


def opened_segmenter(settings: Settings, *, device: torch.device) -> "Grabcut":
    """The segmenter; it runs on a CPU, whatever `device` is."""
    return Grabcut(settings)


class Grabcut(BoxSegmenter):
    """Cuts an object out of its box."""

    name = "grabcut"

    def __init__(self, settings: Settings):
        self.settings = settings

    def answer(self, box: np.ndarray) -> tuple[np.ndarray, float]:
        """What GrabCut leaves of the box, and 1."""
        size = self.pixels.shape[:2]
        looked = touched_pixels(scale_boxes(box, self.settings.window), *size)
        given = np.full(size, cv2.GC_BGD, dtype=np.uint8)
        given[touched_pixels(box, *size)] = cv2.GC_PR_FGD
        if self.settings.core:
            given[touched_pixels(scale_boxes(box, self.settings.core), *size)] = cv2.GC_FGD
        mask = np.zeros(size, dtype=bool)
        crop = np.ascontiguousarray(self.pixels[looked])
        mask[looked] = cut_out(crop, given[looked], iterations=self.settings.iterations)
        return hard_logits(mask), 1.0


def cut_out(crop: np.ndarray, given: np.ndarray, *, iterations: int) -> np.ndarray:
    """The object in a crop, the same each time.

    Parameters
    ----------
    crop : (height, width, 3) uint8. given : (height, width) uint8, OpenCV's words for background,
        perhaps and surely the object; some pixel is not background.
    iterations : how often colours are learned and the crop is cut.

    Returns
    -------
    (height, width) bool; all that is not background in `given` where there is no background, or
    where nothing is left.
    """
    inside = given != cv2.GC_BGD
    if inside.all():
        return np.asarray(inside)
    cv2.setRNGSeed(SEED)
    background, foreground = np.zeros((1, SIZE)), np.zeros((1, SIZE))
    found, *_ = cv2.grabCut(
        crop, given.copy(), NOWHERE, background, foreground, iterations, cv2.GC_INIT_WITH_MASK
    )  # (height, width)
    mask = (found == cv2.GC_FGD) | (found == cv2.GC_PR_FGD)
    return np.asarray(mask if mask.any() else inside)
