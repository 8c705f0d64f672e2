"""Masks whose box fits the known box of the object badly are not trained (BoxCaseg's drop rule).

The agreement is the IoU of the mask's tight box with the known box, best taken after
`merge_smaller`. A mask is trusted only if it is strictly above the threshold; a label is never
removed, it goes on as a box. That agreement bounds the IoU of the masks from below, as the paper
has it, does not hold (two thin diagonals share a box): it is a rule of thumb.

Two ways to measure. `half_open`, ours: boxes as everywhere in this code, nothing rounded, 0 for an
empty mask. `authors`: the mask's last pixel against the known box with x, y, width and height cut
to integers, both sides counted with + 1, and an empty mask is the box [0, 0, 0, 0]. A perfect mask
of side s then has s^2 / (s + 1)^2, so that no square under 39 px can pass 0.95.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from stages.geometry.boxes import box_iou, clip_boxes, xyxy_to_xywh
from stages.geometry.masks import Rle, rle_areas, rle_boxes
from stages.labels.pseudo_label import PseudoLabel

Convention = Literal["half_open", "authors"]
Known = Literal["given", "refined"]
DIGITS = 3  # of px: 9 px are 8.9999995 in the float32 of our tables, and must not be cut to 8


def ignore_misfits(
    labels: Sequence[PseudoLabel],
    *,
    threshold: float,
    box: Known = "refined",
    convention: Convention = "half_open",
) -> list[PseudoLabel]:
    """Take the mask's weight from labels that do not agree with their known box.

    Parameters
    ----------
    labels : (n,) of one image.
    threshold : 0 to 1; an agreement that is not above it sets mask_weight 0.
    box : the known box: the weak label's, or the one that refine found. Labels without a given box
        stay as they are where `given` is asked for: a file may hold points, boxes and masks.
    convention : how boxes are measured, see above.

    Returns
    -------
    (n,) in the same order, `agreement` filled in. A label that loses its mask here is left the
    known box; one that had lost it before keeps the box that it has.
    """
    known = [label.refined if box == "refined" else label.given for label in labels]
    return [
        label if corners is None else _judged(label, corners, threshold, convention)
        for label, corners in zip(labels, known, strict=True)
    ]


def box_agreement(rle: Rle, box: np.ndarray, convention: Convention = "half_open") -> float:
    """IoU of a mask's tight box with a known box, (4,) xyxy px: 0 to 1, measured as said above."""
    hull = rle_boxes([rle]).astype(np.float64)  # (1, 4)
    known = box[None].astype(np.float64)
    if convention == "authors":
        known = _counted(known)
        if not rle_areas([rle])[0]:
            hull = _counted(hull)  # [0, 0, 0, 0], one pixel large
    return float(box_iou(hull, known)[0, 0])


def _counted(box: np.ndarray) -> np.ndarray:
    """The half-open box that the authors' + 1 makes of a truncated x, y, w, h; (1, 4) xyxy px."""
    x, y, width, height = np.trunc(np.round(xyxy_to_xywh(box), DIGITS))[0]
    return np.array([[x, y, x + width + 1, y + height + 1]])


def _judged(
    label: PseudoLabel, box: np.ndarray, threshold: float, convention: Convention
) -> PseudoLabel:
    agreement = box_agreement(label.rle, box, convention)
    if agreement > threshold or not label.mask_weight:
        return replace(label, agreement=agreement)
    stand_in = clip_boxes(box, *label.rle["size"])
    why = f"agreement: its box fits the known one with IoU {agreement:.3f}, not above {threshold:g}"
    return replace(label, agreement=agreement, mask_weight=0.0, stand_in=stand_in, untrusted=why)
