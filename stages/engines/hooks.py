"""What the training hooks compute, on tensors that every engine has: the same formulas for all.

Neutral settings give the stock losses: masks of weight 1 without ignored pixels, no extra masks, no
RoI dropped.
"""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from stages.mil.mps import dice_loss, mask_loss
from stages.runtime.program import say
from stages.settings.train import RoiDrop

DROP_LIMIT = 0.3  # share of dropped RoIs that is worth a warning
DROPPED = ("dropped", "dropped_objects")  # shares of RoIs in the log


def weighted_mask_loss(
    logits: Tensor, goals: Tensor, weights: Tensor, counted: Tensor | None = None
) -> Tensor:
    """Mean cross-entropy per mask, times its weight, over the number of masks with a weight.

    Parameters
    ----------
    logits : (r, m, m) of each RoI's class. goals : (r, m, m) in [0, 1]. weights : (r,), 0 or more.
    counted : (r, m, m) bool, cells that are looked at; the mean is over them. None: all.

    Returns
    -------
    Scalar; 0 where no mask has a weight. Masks of weight 0, or without a counted cell, are cut out,
    not multiplied by 0, so that nothing in them can leak, not even a NaN.

    Source: He et al., "Mask R-CNN", Sec. 3; BoxCaseg (masks of weight 0); SIM, after Eq. 7
    (pixels between its two thresholds have weight 0).
    """
    kept = _looked_at(weights, counted)
    if not kept.any():
        return logits.sum() * 0
    cells = None if counted is None else counted[kept]
    return (_cross_entropies(logits[kept], goals[kept], cells) * weights[kept]).mean()


def _looked_at(weights: Tensor, counted: Tensor | None) -> Tensor:
    """(r,) bool: masks with a weight, of which some cell counts."""
    return weights > 0 if counted is None else (weights > 0) & counted.flatten(1).any(dim=1)


def _cross_entropies(logits: Tensor, goals: Tensor, counted: Tensor | None) -> Tensor:
    """(r,) means over the counted cells of each mask; the stock mean where all of them count."""
    if counted is None or counted.all():
        losses = F.binary_cross_entropy_with_logits(logits, goals, reduction="none")
        return losses.mean(dim=(1, 2))
    logits, goals = shown(logits, counted), shown(goals, counted)
    losses = F.binary_cross_entropy_with_logits(logits, goals, reduction="none")
    return shown(losses, counted).sum(dim=(1, 2)) / counted.sum(dim=(1, 2))


def shown(values: Tensor, counted: Tensor) -> Tensor:
    """The values where cells count, 0 elsewhere: neither value nor gradient comes from there."""
    return values.masked_fill(~counted, 0)


def extra_mask_loss(
    logits: Tensor,
    goals: Tensor,
    valid: Tensor,
    weights: Tensor,
    *,
    gamma: float,
    counted: Tensor | None = None,
) -> Tensor:
    """Gamma times the mean Dice loss to the extra masks, times the weight of each RoI's mask.

    Parameters
    ----------
    logits : (r, m, m) of each RoI's class. goals : (r, k, m, m) in [0, 1], the extra masks.
    valid : (r, k) bool, which of them are there. weights : (r,); RoIs of weight 0 are cut out.
    counted : (r, m, m) bool, cells over which all sums go; RoIs without any are cut out. None: all.

    Returns
    -------
    Scalar; the mean is over all pairs of RoI and extra mask that are there, 0 without any.

    Source: SAPNet, Sec. 7, Eq. 11; on Mask R-CNN an adaptation, since the paper's branch is that
    of SOLOv2: the cross-entropy of the annotation's own mask stands for its first term.
    """
    kept = _looked_at(weights, counted)
    rows, columns = torch.nonzero(valid & kept[:, None], as_tuple=True)
    if not len(rows):
        return logits.sum() * 0
    if counted is None:
        losses = dice_loss(logits[rows].sigmoid(), goals[rows, columns])
    else:
        cells = counted[rows]
        prob = shown(shown(logits[rows], cells).sigmoid(), cells)
        losses = dice_loss(prob, shown(goals[rows, columns], cells))
    return mask_loss(losses.new_zeros(()), losses * weights[rows], gamma=gamma)


def is_dropping(drop: RoiDrop, step: int) -> bool:
    """Whether RoIs are dropped at `step`, counted from 0."""
    return drop.enabled and drop.start is not None and step >= drop.start


def kept_rois(loss_cls: Tensor, loss_reg: Tensor, drop: RoiDrop) -> Tensor:
    """Which RoIs are trained.

    Parameters
    ----------
    loss_cls : (r,) cross-entropy of each RoI. loss_reg : (r,) box loss, summed over the four
    deltas, 0 for background.

    Returns
    -------
    (r,) bool, without gradient. Mode any: both losses are at most at their thresholds (paper);
    both: a RoI is dropped only where both are above (authors' code).

    Source: WeakSAM, Eq. 1.
    """
    fits_cls, fits_reg = loss_cls.detach() <= drop.cls, loss_reg.detach() <= drop.reg
    return fits_cls & fits_reg if drop.mode == "any" else fits_cls | fits_reg


def box_losses(loss_cls: Tensor, loss_reg: Tensor, kept: Tensor | None) -> tuple[Tensor, Tensor]:
    """Both box losses of all RoIs, over the number of RoIs, dropped ones included.

    Parameters
    ----------
    loss_cls, loss_reg : (r,), as in `kept_rois`. kept : (r,) bool, or None for all.

    Returns
    -------
    Two scalars; 0 without RoIs.

    Source: WeakSAM, Eq. 2. Normalised by all RoIs, as stock; the authors' code leaves that out.
    """
    number = max(len(loss_cls), 1)
    if kept is not None:
        loss_cls, loss_reg = loss_cls[kept], loss_reg[kept]
    return loss_cls.sum() / number, loss_reg.sum() / number


def dropped_shares(kept: Tensor | None, labelled: Tensor) -> dict[str, float]:
    """What the log of a step says of the RoI drop.

    Parameters
    ----------
    kept : (r,) bool, or None before the start. labelled : (r,) bool, RoIs that hold an object.

    Returns
    -------
    {"dropped": share of the RoIs, "dropped_objects": share of those that hold an object}; 0 where
    there are none. The second tells of a detector that is left with background alone.
    """
    gone = torch.zeros_like(labelled) if kept is None else ~kept
    return dict(zip(DROPPED, map(_share, (gone, gone[labelled])), strict=True))


def _share(chosen: Tensor) -> float:
    return chosen.float().mean().item() if len(chosen) else 0.0


class DropWatch:
    """Looks at the shares of dropped RoIs and says once when one is above DROP_LIMIT.

    every : steps over which the means are taken.
    """

    def __init__(self, drop: RoiDrop, every: int):
        self._drop, self._every = drop, every
        self._seen: list[Mapping[str, float]] = []
        self._said = False

    def see(self, step: int, numbers: Mapping[str, float]) -> None:
        """Count one step, from 0; `numbers` are those of its line in the log."""
        if self._said or not is_dropping(self._drop, step):
            return
        self._seen.append(numbers)
        if len(self._seen) < self._every:
            return
        means = [fmean(numbers[name] for numbers in self._seen) for name in DROPPED]
        self._seen.clear()
        if max(means) > DROP_LIMIT:
            self._said = True
            say(
                "train",
                f"warning: RoI drop leaves out {means[0]:.0%} of the RoIs of steps "
                f"{step + 2 - self._every} to {step + 1}, and {means[1]:.0%} of those that hold an "
                f"object; more than {DROP_LIMIT:.0%} is too much to learn from. Raise "
                "train.roi_drop.reg, cls or start.",
            )


def mean_shares(steps: Sequence[Mapping[str, Any]], drop: RoiDrop) -> dict[str, float | None]:
    """Mean shares of dropped RoIs since the start, from the lines of a log; None without drop."""
    after = [line for line in steps if is_dropping(drop, line["step"] - 1)]
    return {name: fmean(line[name] for line in after) if after else None for name in DROPPED}
