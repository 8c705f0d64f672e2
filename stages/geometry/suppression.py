"""Which of several boxes that cover each other stay. Pure functions."""

import numpy as np
import torch
from torchvision.ops import nms

from stages.geometry.boxes import box_iou


def best_boxes(boxes: np.ndarray, scores: np.ndarray, *, iou: float) -> np.ndarray:
    """Non-maximum suppression: numbers of the boxes that stay, those of the highest scores first.

    Parameters
    ----------
    boxes : (n, 4) xyxy px. scores : (n,). iou : a box goes where it covers a better one by more.

    Returns
    -------
    (k,) int64.
    """
    kept = nms(torch.from_numpy(boxes).double(), torch.from_numpy(scores).double(), iou)
    return np.asarray(kept.numpy())


def first_boxes(boxes: np.ndarray, *, iou: float) -> np.ndarray:
    """Suppression without scores, in the order in which boxes come.

    Parameters
    ----------
    boxes : (n, 4) xyxy px. iou : a box goes where it covers an earlier one that stays by more.

    Returns
    -------
    (k,) int64 numbers, rising.

    Source: WeakSAM's public code, for what attention peaks prompt. It measures boxes of whole
    pixels with their last pixel; half-open ones give the same IoU.
    """
    kept: list[int] = []
    covers = box_iou(boxes, boxes)
    for number in range(len(boxes)):
        if not (covers[number, kept] > iou).any():
            kept.append(number)
    return np.array(kept, dtype=np.int64)
