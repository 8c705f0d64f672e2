"""Crops as the network of BoxCaseg sees them: square, and normalised.

BoxCaseg's public code normalises boxes and salient images apart (`norm: authors`): of a box's crop
it takes a mean alone, one of BGR images on RGB pixels, a salient image it divides by its brightest
value first. Both then pass one batch norm. Our default is ImageNet's mean and deviation for both.
"""

import cv2
import numpy as np
import torch
from torch import Tensor

from stages.box_supervision.box_crops import Crop

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet, RGB of 0 to 1
AUTHORS_MEAN = (102.98 / 255, 115.95 / 255, 122.77 / 255)  # of their crops of boxes


def resized_crop(pixels: np.ndarray, crop: Crop, side: int) -> np.ndarray:
    """A crop of (height, width, 3) uint8 as (side, side, 3) uint8, bilinear.

    What is made smaller is averaged over areas; the authors' filter lets fine patterns through.
    """
    x0, y0, x1, y1 = crop
    part = pixels[y0:y1, x0:x1]
    smaller = max(part.shape[:2]) > side
    way = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, (side, side), interpolation=way))


def resized_mask(mask: np.ndarray, crop: Crop, side: int) -> np.ndarray:
    """A crop of an (height, width) bool mask as (side, side) bool, nearest."""
    x0, y0, x1, y1 = crop
    part = mask[y0:y1, x0:x1].astype(np.uint8)
    return np.asarray(cv2.resize(part, (side, side), interpolation=cv2.INTER_NEAREST_EXACT) > 0)


def network_input(crops: np.ndarray, salient: np.ndarray, *, norm: str) -> Tensor:
    """Pixels for the network.

    Parameters
    ----------
    crops : (n, side, side, 3) uint8. salient : (n,) bool, whether an item is a salient image.
    norm : imagenet, or authors.

    Returns
    -------
    (n, 3, side, side) float32.
    """
    values = torch.from_numpy(np.array(crops)).permute(0, 3, 1, 2).float() / 255
    if norm == "authors":
        masked = torch.from_numpy(np.array(salient))[:, None, None, None]
        brightest = values.amax(dim=(1, 2, 3), keepdim=True).clamp(min=1 / 255)
        boxes = values - _channels(AUTHORS_MEAN)
        return torch.where(masked, _standard(values / brightest), boxes)
    return _standard(values)


def _standard(values: Tensor) -> Tensor:
    return (values - _channels(MEAN)) / _channels(DEVIATION)


def _channels(values: tuple[float, ...]) -> Tensor:
    return torch.tensor(values)[:, None, None]
