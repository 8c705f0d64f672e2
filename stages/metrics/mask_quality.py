"""How well masks fit the object they were made for, and in which way they fail. Pure functions.

Errors as in SAPNet, Fig. 1 and Sec. 1, made countable:
  group  the mask covers another object of the same class as well
  local  the mask is a part of its object: most of it lies inside, but it covers little of it
"""

from collections.abc import Sequence

import numpy as np

from stages.geometry.boxes import box_iou
from stages.geometry.masks import Rle, rle_cover, rle_iou

STATISTICS = ("box_iou", "mask_iou", "mask_iou_50", "mask_iou_75", "group", "local")
MASK_IOU = STATISTICS.index("mask_iou")


def mask_statistics(
    rles: Sequence[Rle],
    boxes: np.ndarray,
    truth: Rle,
    truth_box: np.ndarray,
    others: Sequence[Rle],
    *,
    group_cover: float,
    local_cover: float,
    local_inside: float,
) -> np.ndarray:
    """STATISTICS of each mask against one object.

    Parameters
    ----------
    rles, boxes : the masks, (n,), and their boxes, (n, 4) xyxy px.
    truth, truth_box : the object's mask and its box, (4,) xyxy px.
    others : masks of the other objects of its class in the image.
    group_cover : a group error covers at least this share of one of `others`.
    local_cover, local_inside : a local error covers less than `local_cover` of its object, and more
        than `local_inside` of it lies inside the object.

    Returns
    -------
    (n, s) float64 in [0, 1], columns as STATISTICS.
    """
    fit = rle_iou(rles, [truth])[:, 0]
    columns = [
        box_iou(boxes, truth_box[None])[:, 0],
        fit,
        fit >= 0.5,
        fit >= 0.75,
        _is_group(rles, others, cover=group_cover),
        _is_local(rles, truth, cover=local_cover, inside=local_inside),
    ]
    return np.stack(columns, axis=1).astype(np.float64)


def _is_group(rles: Sequence[Rle], others: Sequence[Rle], *, cover: float) -> np.ndarray:
    """(n,) bool: the mask covers at least `cover` of another object of the class."""
    if not others:
        return np.zeros(len(rles), dtype=bool)
    return np.asarray((rle_cover(others, rles) >= cover).any(axis=0))


def _is_local(rles: Sequence[Rle], truth: Rle, *, cover: float, inside: float) -> np.ndarray:
    """(n,) bool: a part of its object."""
    covered = rle_cover([truth], rles)[0]  # share of the object that each mask covers
    within = rle_cover(rles, [truth])[:, 0]  # share of each mask that lies inside the object
    return np.asarray((covered < cover) & (within > inside))
