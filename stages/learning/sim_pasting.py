"""Objects of one image pasted into another one, as SIM's teacher sees both.

SIM (Li et al., CVPR 2023), Sec. 3.3: hard, at the same position, cut at the border. Pixels of the
donor that its masks leave open are not pasted, so that a pasted mask is exact. What it covers is
known too: it is of no other object, whatever was open there.
"""

import numpy as np
import torch
from torch import Tensor

from stages.box_supervision.pasting import fitted, hulls, tightened
from stages.learning.sim_masks import PseudoMasks, Shown


def pasted_onto(
    target: Shown, pixels: np.ndarray, masks: PseudoMasks, classes: Tensor, *, least: int
) -> Shown:
    """The target with objects of a donor on top of its own.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 of the donor. masks : of the p objects to paste. classes : (p,).
    least : px; objects of which the target's border leaves a narrower or lower box are not pasted.

    Returns
    -------
    The objects that are left, with boxes about what is seen of them, then the pasted ones, with
    boxes about their masks. An object is left out where all of its box is covered, or all of its
    trusted mask.
    """
    size = target.pixels.shape[:2]
    stamps = fitted(masks.masks * masks.looked_at, size)
    hull = hulls(stamps)
    seen = (hull[:, 2:] - hull[:, :2]).min(axis=1) >= least
    if not seen.any():
        return target
    stamps = stamps[seen]
    cover = stamps.any(axis=0)
    boxes, kept = tightened(target.boxes.numpy(), cover)
    left = _under(target.masks, cover)
    kept &= ~_emptied(target.masks, left)
    moved = fitted(pixels.transpose(2, 0, 1), size).transpose(1, 2, 0)
    return Shown(
        np.where(cover[:, :, None], moved, target.pixels),
        torch.from_numpy(np.concatenate([boxes[kept], hull[seen]])),
        torch.cat([target.classes[kept], classes[seen]]),
        _with_stamps(left, kept, stamps),
        pasted=len(stamps),
        cover=cover,
    )


def _under(found: PseudoMasks, cover: np.ndarray) -> PseudoMasks:
    """What is left of masks, all of one size now; covered pixels are surely not the objects'."""
    none = np.zeros((len(found.weights), *cover.shape), dtype=np.uint8)
    masks, looked_at = (part if part.size else none for part in (found.masks, found.looked_at))
    return PseudoMasks(masks * ~cover, looked_at | cover, found.weights)


def _emptied(before: PseudoMasks, after: PseudoMasks) -> np.ndarray:
    """(g,) bool: objects whose mask is trusted, and wholly covered."""
    if not before.masks.size:
        return np.zeros(len(before.weights), dtype=bool)
    gone = before.masks.any(axis=(1, 2)) & ~after.masks.any(axis=(1, 2))
    return np.asarray(gone & (before.weights.numpy() > 0))


def _with_stamps(left: PseudoMasks, kept: np.ndarray, stamps: np.ndarray) -> PseudoMasks:
    return PseudoMasks(
        np.concatenate([left.masks[kept], stamps]),
        np.concatenate([left.looked_at[kept], np.ones_like(stamps)]),
        torch.cat([left.weights[kept], torch.ones(len(stamps))]),
    )
