"""Photographs as SIM's teacher sees them: resized by their shorter side, normalised, padded.

BoxInst (CVPR 2021) and SIM (CVPR 2023): the shorter side is 640 to 800 px in training and 800 px
when asked, the longer one 1333 px at most.
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

from stages.segmenters.crop_pixels import DEVIATION, MEAN

DIVISOR = 32  # px; sides are padded to a multiple, so that the cells of all maps are whole
ALMOST = 1e-6  # px; a side that is whole but for rounding is not made larger


def shown_size(height: int, width: int, *, short_side: int, long_side: int) -> tuple[int, int]:
    """Height and width, px, of an image as the network sees it; a part of a pixel is a whole one.

    Parameters
    ----------
    short_side : px of the shorter side. long_side : px of the longer one, at most.
    """
    factor = factor_of(height, width, short_side=short_side, long_side=long_side)
    return math.ceil(height * factor - ALMOST), math.ceil(width * factor - ALMOST)


def factor_of(height: int, width: int, *, short_side: int, long_side: int) -> float:
    """Px as the network sees them per px of an image; arguments as of `shown_size`."""
    return min(short_side / min(height, width), long_side / max(height, width))


def resized(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(height, width, 3) uint8 to (*size, 3), averaged over areas where it becomes smaller."""
    smaller = size[0] < pixels.shape[0]
    way = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (size[1], size[0]), interpolation=way))


def padded_size(sizes: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Height and width, px, that hold images of these sizes, in whole cells."""
    height, width = (max(sides) for sides in zip(*sizes, strict=True))
    return height + -height % DIVISOR, width + -width % DIVISOR


def network_batch(images: Sequence[np.ndarray]) -> Tensor:
    """Images for the network, padded with the mean colour to one size.

    Parameters
    ----------
    images : (h, w, 3) uint8 each, as the network sees them; one at least.

    Returns
    -------
    (n, 3, H, W) float32 of zero mean and unit deviation over ImageNet; H and W of `padded_size`.
    """
    height, width = padded_size([image.shape[:2] for image in images])
    batch = torch.zeros((len(images), 3, height, width))
    mean, deviation = torch.tensor(MEAN), torch.tensor(DEVIATION)
    for place, image in enumerate(images):
        values = (torch.from_numpy(np.ascontiguousarray(image)) / 255 - mean) / deviation
        batch[place, :, : image.shape[0], : image.shape[1]] = values.permute(2, 0, 1)
    return batch
