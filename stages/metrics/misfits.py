"""In which way a box or a mask misses its object: a part of it, too large, or otherwise. Pure.

The usual failure of labels from image tags is a part (the face of the dog); WeakSAM, spec section
14, asks to tell it from the opposite one. What is judged has IoU < 0.5 with every true object of
its class; the one that it overlaps most decides. SAPNet's local and group errors (`mask_quality`)
are other limits for another question, since there the object that is meant is known.
"""

from collections.abc import Sequence

import numpy as np

from stages.geometry.boxes import box_cover, box_iou
from stages.geometry.masks import Rle, rle_cover, rle_iou

FITS = 0.5  # IoU from which a box or a mask is right
PART, TOO_LARGE, OTHER = "part", "too_large", "other"
MISFITS = (PART, TOO_LARGE, OTHER)
PART_INSIDE = 0.6  # of a part this share at least lies inside its object ...
PART_COVER = 0.5  # ... and it covers less than this share of it
LARGE_COVER = 0.6  # what is too large covers this share of its object at least


def misfit(overlaps: np.ndarray, inside: np.ndarray, cover: np.ndarray) -> str:
    """How one thing misses the true objects of its class.

    Parameters
    ----------
    overlaps : (m,) IoU with each true object. inside : (m,) share of the thing that lies inside
        each. cover : (m,) share of each that the thing covers. m may be 0.

    Returns
    -------
    One of MISFITS, by the object of the largest IoU, of equal ones the first; what overlaps
    nothing is "other".
    """
    if not len(overlaps) or overlaps.max() <= 0:
        return OTHER
    nearest = int(overlaps.argmax())
    if inside[nearest] >= PART_INSIDE and cover[nearest] < PART_COVER:
        return PART
    return TOO_LARGE if cover[nearest] >= LARGE_COVER else OTHER


def box_misfit(box: np.ndarray, objects: np.ndarray) -> str:
    """`misfit` of a box, (4,), among the boxes of true objects, (m, 4), xyxy px."""
    one = box[None]
    inside, cover = box_cover(one, objects)[0], box_cover(objects, one)[:, 0]
    return misfit(box_iou(one, objects)[0], inside, cover)


def mask_misfit(rle: Rle, objects: Sequence[Rle]) -> str:
    """`misfit` of a mask among the masks of true objects."""
    if not objects:
        return OTHER
    inside, cover = rle_cover([rle], objects)[0], rle_cover(objects, [rle])[:, 0]
    return misfit(rle_iou([rle], objects)[0], inside, cover)
