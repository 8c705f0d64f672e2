"""Overlapping masks: a pixel belongs to the smallest object that claims it.

BoxCaseg paints the masks of an image in order of decreasing box area (w h of the box that was
given), and a later mask overwrites an earlier one. "Smaller" is by box, not by mask. With equal
areas the object that is listed earlier is painted last and wins, as in the authors' script.

Departures. For points there is no given box: the hull of the label's own mask, before any merging,
takes its place. Crowds take part in the authors' script; here they are never labelled. A mask of
weight 0 is trusted by nobody, so it claims no pixel and loses none.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from stages.geometry.boxes import box_area, clip_boxes
from stages.geometry.masks import Rle, masks_to_rles, rle_iou, rles_to_masks
from stages.labels.pseudo_label import PseudoLabel

NOBODY = -1  # in a map of owners
COVERED = "merge_smaller: smaller objects claim all its pixels"


def merge_smaller(labels: Sequence[PseudoLabel]) -> list[PseudoLabel]:
    """Make the trusted masks of one image disjoint.

    Parameters
    ----------
    labels : (n,) of one image.

    Returns
    -------
    (n,) in the same order. A label without a rival is returned as it is. One that is covered
    altogether has an empty mask of weight 0 and is left its box: the given one, else its hull
    before.
    """
    rivals = _overlapping([label for label in labels if label.mask_weight])
    if not rivals:
        return list(labels)
    areas = [float(box_area(label.own_box)) for label in rivals]
    owners = owner_map([label.rle for label in rivals], areas)
    merged = {
        label.instance_id: _with_mask(label, owners == number)
        for number, label in enumerate(rivals)
    }
    return [merged.get(label.instance_id, label) for label in labels]


def owner_map(rles: Sequence[Rle], box_areas: Sequence[float]) -> np.ndarray:
    """Who owns each pixel: one map instead of n masks in memory.

    Parameters
    ----------
    rles : (n,) masks of one size, n at least 1. box_areas : (n,) px^2, of their objects' boxes.

    Returns
    -------
    (height, width) int32, the number of the mask in `rles`, or NOBODY.
    """
    owners = np.full(rles[0]["size"], NOBODY, dtype=np.int32)
    by_size = sorted(range(len(rles)), key=lambda number: (box_areas[number], number))
    for number in reversed(by_size):  # of equal areas the one listed earlier comes last
        owners[rles_to_masks([rles[number]])[0].astype(bool)] = number
    return owners


def _overlapping(labels: Sequence[PseudoLabel]) -> list[PseudoLabel]:
    """Those that share a pixel with another one; most labels of an image do not."""
    rles = [label.rle for label in labels]
    shares = rle_iou(rles, rles) > 0  # (n, n); each shares its pixels with itself
    return [label for label, sharers in zip(labels, shares, strict=True) if sharers.sum() > 1]


def _with_mask(label: PseudoLabel, mask: np.ndarray) -> PseudoLabel:
    """The label with what it still owns of its mask, (height, width) bool."""
    left = int(mask.sum())
    if left == label.area:
        return label
    rle = masks_to_rles(mask[None])[0]
    if left:
        return replace(label, rle=rle)
    box = clip_boxes(label.own_box, *mask.shape)
    return replace(label, rle=rle, mask_weight=0.0, stand_in=box, untrusted=COVERED)
