"""Overlapping masks: a pixel belongs to the smallest object that claims it.

BoxCaseg paints the masks of an image in order of decreasing box area (w h of the box that was
given), and a later mask overwrites an earlier one. "Smaller" is by box, not by mask. With equal
areas the object that is listed earlier is painted last and wins, as in the authors' script.

Departures. For points there is no given box: the hull of the label's own mask, before any merging,
takes its place. Crowds take part in the authors' script; here they are never labelled. A mask of
weight 0 is trusted by nobody, so it claims no pixel and loses none.

Pixels that no training looks at (BoxCaseg has none) claim nothing. Where a smaller object claims
them, they are its own, and no longer ignored in the larger: it is taught that they are not. Where a
larger one claims them, they stay ignored in the smaller, which may have a right to them.
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
    trusted = _decided([label for label in labels if label.mask_weight])
    merged = {label.instance_id: label for label in [*trusted, *_disjoint(trusted)]}
    return [merged.get(label.instance_id, label) for label in labels]


def _decided(labels: Sequence[PseudoLabel]) -> list[PseudoLabel]:
    """The labels without those of their ignored pixels that a smaller one claims."""
    found = list(labels)
    if any(label.ignored for label in labels):
        by_size = _smallest_first([float(box_area(label.own_box)) for label in labels])
        for place, number in enumerate(by_size):
            smaller = [labels[other].rle for other in by_size[:place]]
            found[number] = _without_ignored(labels[number], smaller)
    return found


def _without_ignored(label: PseudoLabel, rles: Sequence[Rle]) -> PseudoLabel:
    """The label that no longer ignores the pixels of these masks."""
    if label.ignored is None:
        return label
    claims = np.flatnonzero(rle_iou(rles, [label.ignored]))
    if not len(claims):
        return label
    left = rles_to_masks([label.ignored])[0]
    for number in claims.tolist():  # one mask in memory at a time
        left[rles_to_masks([rles[number]])[0] > 0] = 0
    return replace(label, ignored=masks_to_rles(left[None])[0] if left.any() else None)


def _disjoint(labels: Sequence[PseudoLabel]) -> list[PseudoLabel]:
    """Those that share a pixel with another one, each with what it owns."""
    rivals = _overlapping(labels)
    if not rivals:
        return []
    areas = [float(box_area(label.own_box)) for label in rivals]
    owners = owner_map([label.rle for label in rivals], areas)
    return [_with_mask(label, owners == number) for number, label in enumerate(rivals)]


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
    for number in reversed(_smallest_first(box_areas)):  # the smallest paints last
        owners[rles_to_masks([rles[number]])[0].astype(bool)] = number
    return owners


def _smallest_first(box_areas: Sequence[float]) -> list[int]:
    """Numbers of the objects, smallest box first; of equals the one listed earlier."""
    return sorted(range(len(box_areas)), key=lambda number: (box_areas[number], number))


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
