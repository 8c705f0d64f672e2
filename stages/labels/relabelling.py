"""Whether a detector knows an object's mask better than its label does; pure.

Not in the papers. A detection stands for an object only if it could: its mask holds the object's
point and no other labelled point of the class, or its hull agrees with the given box; for an object
born of a tag, of which nothing is known, it overlaps the label. A label that itself could not stand
for the object is bad.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stages.geometry.boxes import box_iou
from stages.geometry.masks import Rle, rle_boxes, rle_iou, rles_to_masks

LEAST = 0.05  # of an overlap


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an object, beside its class.

    points : (p, 2) x, y px, of the object. rivals : (q, 2) of others of its class in the image.
    box : (4,) xyxy px that a person gave, or None.
    """

    points: np.ndarray
    rivals: np.ndarray
    box: np.ndarray | None


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a detection counts, and when it is believed.

    box_fit : least IoU of a mask's hull with a given box. overlap : IoU of both masks below which
    a surer detection replaces the label. near : least IoU with the label, where nothing is known.
    """

    box_fit: float
    overlap: float
    near: float


def could_stand(masks: Sequence[Rle], known: Known, label: Rle, limits: Limits) -> np.ndarray:
    """(n,) bool: the masks that could be the object's.

    Parameters
    ----------
    masks : (n,) of the image's size. label : the object's mask until now.
    """
    if not masks:
        return np.zeros(0, dtype=bool)
    hulls = rle_boxes(masks)
    found = (hulls[:, 2] > hulls[:, 0]) & (hulls[:, 3] > hulls[:, 1])  # not empty
    if len(known.points):
        found &= np.array([_holds(mask, known) for mask in masks])
    if known.box is not None:
        found &= box_iou(hulls, known.box[None])[:, 0] >= limits.box_fit
    if not len(known.points) and known.box is None:
        found &= rle_iou(masks, [label])[:, 0] >= limits.near
    return np.asarray(found)


def _holds(mask: Rle, known: Known) -> bool:
    """Whether a mask holds all points of an object and none of its rivals."""
    pixels = rles_to_masks([mask])[0]
    return bool(_at(pixels, known.points).all() and not _at(pixels, known.rivals).any())


def _at(pixels: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(n,) bool: what a mask (height, width) has at points, each in the image or at its border."""
    height, width = pixels.shape
    columns = np.clip(np.floor(points[:, 0]).astype(int), 0, width - 1)
    rows = np.clip(np.floor(points[:, 1]).astype(int), 0, height - 1)
    return np.asarray(pixels[rows, columns].astype(bool))


def surest(allowed: np.ndarray, scores: np.ndarray) -> int | None:
    """Number of the surest of the detections that could stand for an object; None without any.

    Parameters
    ----------
    allowed : (n,) bool. scores : (n,); of equal ones the first counts.
    """
    numbers = np.flatnonzero(allowed)
    return int(numbers[np.argmax(scores[numbers])]) if len(numbers) else None


def is_better(
    overlap: float, score: float, label_score: float, *, is_bad: bool, limits: Limits
) -> bool:
    """Whether a detection replaces the label.

    Parameters
    ----------
    overlap : IoU of both masks. score : of the detection. label_score : how likely the same
        detector thinks the label's class to be in the label's own box.
    is_bad : the label could not stand for the object.
    """
    return is_bad or (overlap < limits.overlap and score > label_score)


def agreed_score(sure: float, overlaps: Sequence[float]) -> float:
    """How good a label is thought to be: sure of its class, and of one mask whoever looks.

    Parameters
    ----------
    sure : probability of its class, 0 to 1. overlaps : IoU of views of its object, 0 to 1; below
        LEAST they count as that, so that labels which nobody has seen again keep their order.
    """
    return sure * math.prod(max(overlap, LEAST) for overlap in overlaps)


def majority(masks: Sequence[Rle]) -> np.ndarray:
    """(height, width) bool: the pixels of more than half of the masks."""
    votes: np.ndarray = rles_to_masks(masks).astype(np.int32).sum(axis=0)
    return votes * 2 > len(masks)
