"""What the tiny SAM learns from: class-agnostic losses over all mask levels under a prompt.

Pure functions, tensors in, tensors out. A single point is ambiguous, so every level it may mean
(leaf, part, compound, whole, group) is learnt by one of the three slots; the IoU head learns the
quality of a mask whatever its level, which is what keeps SAM's own top-1 naive about classes.
Follows Segment Anything, Appendix A (minimum over masks, dice, IoU regression); departs from it in
training all levels at once, in giving the largest one to the last slot, and in cross-entropy
instead of the focal loss, as masks here are large.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

LEVEL_WEIGHTS = (0.8, 0.8, 0.3, 1.2, 0.7)  # leaf, part, compound, whole, group
BCE_WEIGHT = 4.0
LEAK = 0.05  # share of the mean over slots, so that a slot never dies


def pair_losses(logits: Tensor, targets: Tensor) -> Tensor:
    """Mask loss of every slot against every target of the same prompt.

    Parameters
    ----------
    logits : (n_prompts, n_slots, n_px) float mask logits.
    targets : (n_prompts, n_targets, n_px) float coverage in [0, 1].

    Returns
    -------
    (n_prompts, n_slots, n_targets) float >= 0: 4 * mean cross-entropy + dice.
    """
    n_px = logits.shape[-1]
    swapped = targets.transpose(1, 2)  # (n_prompts, n_px, n_targets)
    bce = (functional.softplus(logits).sum(-1, keepdim=True) - logits @ swapped) / n_px
    chance = logits.sigmoid()
    shared = chance @ swapped
    total = chance.sum(-1, keepdim=True) + targets.sum(-1)[:, None]
    dice = 1 - (2 * shared + 1) / (total + 1)
    return BCE_WEIGHT * bce + dice


def pair_ious(logits: Tensor, targets: Tensor) -> Tensor:
    """IoU of every thresholded slot with every target, both at one half.

    Parameters
    ----------
    logits : (n_prompts, n_slots, n_px) float mask logits.
    targets : (n_prompts, n_targets, n_px) float coverage in [0, 1].

    Returns
    -------
    (n_prompts, n_slots, n_targets) float in [0, 1]; 0 where both are empty.
    """
    masks = (logits > 0).float()
    truth = (targets > 0.5).float()
    shared = masks @ truth.transpose(1, 2)
    union = masks.sum(-1, keepdim=True) + truth.sum(-1)[:, None] - shared
    return shared / union.clamp(min=1)


def assigned_losses(pairs: Tensor, kept: Tensor) -> Tensor:
    """Loss of each level under an ambiguous prompt, paid by the slot it is assigned to.

    The largest level there belongs to the last slot, every other one to the better of the first
    two (plus 5 % of both). The whole is therefore the last slot's for an object that stands alone
    and an earlier one's for an object in a group: were every level free to choose, one slot would
    settle on "whole", and picking that slot would be the answer to everything.

    Parameters
    ----------
    pairs : (n_prompts, 3, n_levels) float, every slot's loss against every level, small to large.
    kept : (n_prompts, n_levels) bool, False for levels that repeat another; one or more per row.

    Returns
    -------
    (n_prompts, n_levels) float. A level that is the only one is every slot's.
    """
    first = pairs[:, :2]
    shared = (1 - LEAK) * first.min(dim=1).values + LEAK * first.mean(dim=1)
    order = torch.arange(kept.shape[1], device=kept.device)
    largest = order == (order * kept).max(dim=1, keepdim=True).values  # (n_prompts, n_levels)
    alone = kept.sum(dim=1, keepdim=True) == 1
    last = torch.where(alone, pairs.mean(dim=1), pairs[:, 2])
    return torch.where(largest, last, shared)


def ambiguous_loss(logits: Tensor, quality: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """Loss of the multimask slots under an ambiguous prompt.

    Parameters
    ----------
    logits : (n_prompts, 3, n_px) float mask logits.
    quality : (n_prompts, 3) float, the IoU head's answers.
    targets : (n_prompts, n_targets, n_px) float coverage in [0, 1], levels from small to large.
    weights : (n_prompts, n_targets) float >= 0; 0 drops a target, such as a duplicate level.

    Returns
    -------
    Scalar: weighted mean over targets of `assigned_losses`, plus the squared error of the IoU head
    against each slot's best IoU over all targets.
    """
    losses = assigned_losses(pair_losses(logits, targets), weights > 0)
    mask_loss = (losses * weights).sum() / weights.sum().clamp(min=1e-6)
    ious = pair_ious(logits.detach(), targets).masked_fill(weights[:, None] == 0, 0)
    return mask_loss + functional.mse_loss(quality, ious.max(dim=2).values)


def certain_loss(logits: Tensor, quality: Tensor, target: Tensor) -> Tensor:
    """Loss of all four slots under a prompt that means one mask: a box or several points.

    Parameters
    ----------
    logits : (n_prompts, 4, n_px) float mask logits, slot 0 being the single-mask token.
    quality : (n_prompts, 4) float, the IoU head's answers.
    target : (n_prompts, n_px) float coverage in [0, 1].

    Returns
    -------
    Scalar: slot 0's loss plus the best multimask slot's, plus the IoU head's squared error.
    """
    pairs = pair_losses(logits, target[:, None])[..., 0]  # (n_prompts, 4)
    best = (1 - LEAK) * pairs[:, 1:].min(dim=1).values + LEAK * pairs[:, 1:].mean(dim=1)
    ious = pair_ious(logits.detach(), target[:, None])[..., 0]
    return (pairs[:, 0] + best).mean() + functional.mse_loss(quality, ious)


def dense_loss(answer: Tensor, truth: Tensor) -> Tensor:
    """Loss of the auxiliary dense head.

    Parameters
    ----------
    answer : (n_images, 8, h, w) float: logits of labelled object, foreground, part edge, whole
        edge, then offsets (dx, dy) to the centroids of whole and part, in image sides.
    truth : the same layout, maps in [0, 1] and offsets in [-1, 1]; offsets count on foreground.

    Returns
    -------
    Scalar: cross-entropy of the four maps plus ten times the L1 error of the offsets.
    """
    maps = functional.binary_cross_entropy_with_logits(answer[:, :4], truth[:, :4])
    inside = truth[:, 1:2]
    error = ((answer[:, 4:] - truth[:, 4:]).abs() * inside).sum() / (4 * inside.sum()).clamp(min=1)
    total: Tensor = maps + 10 * error
    return total


def level_weights(duplicate: Tensor) -> Tensor:
    """Weights of the five levels, zero where a level repeats a deeper one.

    Parameters
    ----------
    duplicate : (n_prompts, 5) bool.

    Returns
    -------
    (n_prompts, 5) float.
    """
    base = torch.tensor(LEVEL_WEIGHTS, device=duplicate.device).expand(duplicate.shape)
    return base.masked_fill(duplicate, 0.0)
