"""Copy-paste: trusted instances of images shown before are pasted into others, before any engine.

SIM, "Online Weakly-Supervised Copy-Paste": same position, no blur, no scaling; cut at the border.
Departures: the bank is the window of the last images, computed from the step, so that nothing has
to be remembered; it grows from empty, where the paper waits until it is full; one draw per image,
without replacement; only masks with a weight and with a score of at least `min_score` are pasted.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch

from stages.box_supervision.pasting import drawn, fitted, hulls, pastable
from stages.engines.training_images import Sample
from stages.learning.trainer import images_of_step
from stages.settings.train import CopyPaste, Train

MOST_COVERED = 0.9  # share of a box without a trusted mask; what is covered more is left out


def pastable_instances(
    weights: np.ndarray, scores: np.ndarray, areas: np.ndarray, paste: CopyPaste
) -> np.ndarray:
    """Which instances the settings let be pasted, (n,) bool; arguments as of `pastable`."""
    return pastable(weights, scores, areas, power=paste.power, min_score=paste.min_score)


def drawn_instances(scores: np.ndarray, paste: CopyPaste, rng: np.random.Generator) -> np.ndarray:
    """Which of a source's instances are pasted, as the settings draw them; see `drawn`."""
    return drawn(scores, rng, share=paste.share, most=paste.most, power=paste.power)


def shown_before(
    image_ids: Sequence[int], step: int, settings: Train, rng: np.random.Generator, *, seed: int
) -> Iterator[tuple[int, bool]]:
    """The last images shown before `step`, at most `copy_paste.bank`, in random order.

    Yields
    ------
    Each image and whether it was mirrored when it was shown; nothing at step 0.
    """
    per_epoch = math.ceil(len(image_ids) / settings.batch_images)
    epoch, place = divmod(step, per_epoch)
    shown = epoch * len(image_ids) + place * settings.batch_images
    for back in rng.permutation(min(settings.copy_paste.bank, shown)).tolist():
        epoch, number = divmod(shown - 1 - back, len(image_ids))
        place, column = divmod(number, settings.batch_images)
        past = images_of_step(image_ids, epoch * per_epoch + place, settings, seed=seed)
        yield past[column]


def copy_paste(target: Sample, source: Sample, rows: np.ndarray, *, min_visible: float) -> Sample:
    """The target with instances of the source on top of its own.

    Parameters
    ----------
    rows : instances of `source`; those of which the target's border leaves less than `min_visible`
        are not pasted.
    min_visible : share of its mask that an instance of the target must keep.

    Returns
    -------
    The instances that are left, then the pasted ones, which have no extra masks. Both keep their
    ignored pixels, but for those of the target that are covered: they show another object now, so
    that nothing about them is in doubt.
    """
    size = target.masks.shape[1:]
    whole = source.masks.numpy()[rows]
    stamps = fitted(whole, size)
    seen = _is_visible(_areas(stamps), _areas(whole), min_visible)
    if not seen.any():
        return target
    rows, stamps = rows[seen], stamps[seen]
    cover = stamps.any(axis=0)
    masks, boxes, kept = occluded(
        target.masks.numpy(),
        target.boxes.numpy(),
        target.mask_weight.numpy(),
        cover,
        min_visible=min_visible,
    )
    none = np.zeros_like(stamps, shape=(len(target.extra_masks), *stamps.shape))
    extra = _covered_and_pasted(target.extra_masks, kept, cover, none)
    pasted = fitted(source.ignore_masks.numpy()[:, rows], size)
    ignored = _covered_and_pasted(target.ignore_masks, kept, cover, pasted)
    pixels = np.where(cover, fitted(source.pixels.numpy(), size), target.pixels.numpy())
    return replace(
        target,
        pixels=torch.from_numpy(pixels),
        boxes=torch.from_numpy(np.concatenate([boxes, hulls(stamps)])),
        labels=torch.cat([target.labels[kept], source.labels[rows]]),
        masks=torch.from_numpy(np.concatenate([masks, stamps])),
        mask_weight=torch.cat([target.mask_weight[kept], source.mask_weight[rows]]),
        extra_masks=torch.from_numpy(extra),
        extra_valid=torch.from_numpy(extra.any(axis=(2, 3)).T),
        ignore_masks=torch.from_numpy(ignored),
        pasted=len(rows),
    )


def _covered_and_pasted(
    masks: torch.Tensor, kept: np.ndarray, cover: np.ndarray, pasted: np.ndarray
) -> np.ndarray:
    """(k, n, h, w) of the target, what stays of those that stay; then (k, p, h, w) pasted ones."""
    return np.concatenate([masks.numpy()[:, kept] * ~cover, pasted], axis=1)


def occluded(
    masks: np.ndarray,
    boxes: np.ndarray,
    weights: np.ndarray,
    cover: np.ndarray,
    *,
    min_visible: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What is left of instances under what is pasted.

    Parameters
    ----------
    masks : (n, h, w) uint8. boxes : (n, 4) float32 xyxy px. weights : (n,) of the masks; where it
        is 0, the box alone counts. cover : (h, w) bool.

    Returns
    -------
    Masks and boxes of the instances that stay, and which of the n stay, (n,) bool. A trusted mask
    that lost pixels has a new box, its hull.
    """
    rest = masks * ~cover
    before, after = _areas(masks), _areas(rest)
    trusted = (weights > 0) & (before > 0)
    visible = _is_visible(after, before, min_visible)
    kept = np.where(trusted, visible, covered(boxes, cover) <= MOST_COVERED)
    touched = trusted & (after < before)
    boxes = np.where(touched[:, None], hulls(rest), boxes)
    return rest[kept], boxes[kept], kept


def _areas(masks: np.ndarray) -> np.ndarray:
    return np.asarray(masks.sum(axis=(1, 2), dtype=np.int64))


def _is_visible(area: np.ndarray, whole: np.ndarray, share: float) -> np.ndarray:
    return np.asarray((area > 0) & (area / np.maximum(whole, 1) >= share))


def covered(boxes: np.ndarray, cover: np.ndarray) -> np.ndarray:
    """Share of each box's pixels under `cover`, (n,); boxes (n, 4) xyxy px, cover (h, w) bool."""
    corners = np.concatenate([np.floor(boxes[:, :2]), np.ceil(boxes[:, 2:])], axis=1).astype(int)
    parts = [cover[max(y0, 0) : y1, max(x0, 0) : x1] for x0, y0, x1, y1 in corners.tolist()]
    return np.array([part.mean() if part.size else 0.0 for part in parts])
