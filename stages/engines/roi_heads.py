"""torchvision's RoI heads with the training hooks; neutral settings give torchvision's losses.

Departures: masks of weight 0 do not reach the mask loss, others count by their weight, and of them
not the pixels that are to be ignored; RoIs that fit badly are left out of both box losses; extra
masks are trained too. See `hooks` for formulas.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.models.detection.roi_heads import RoIHeads, project_masks_on_boxes

from stages.engines.hooks import (
    DROPPED,
    box_losses,
    dropped_shares,
    extra_mask_loss,
    is_dropping,
    kept_rois,
    weighted_mask_loss,
)
from stages.settings.train import RoiDrop

BETA = 1 / 9  # of the smooth L1 loss, torchvision's


class WeightedRoIHeads(RoIHeads):  # type: ignore[misc]
    """torchvision's heads with the hooks.

    drop : the RoI drop. gamma : weight of the extra masks; None: they are not trained.
    step : of the training, from 0; whoever trains sets it before each forward.
    dropped : shares of dropped RoIs of the last forward in training, as the log has them.
    """

    drop: RoiDrop = RoiDrop()
    gamma: float | None = None
    step: int = 0
    dropped: Mapping[str, float] = dict.fromkeys(DROPPED, 0.0)

    def forward(
        self,
        features: dict[str, Tensor],
        proposals: list[Tensor],
        image_shapes: list[tuple[int, int]],
        targets: list[dict[str, Tensor]] | None = None,
    ) -> tuple[list[dict[str, Tensor]], dict[str, Tensor]]:
        """Losses in training, detections else; arguments as in torchvision.

        Each target also has mask_weight (n,), and extra_valid (n, k) where extra masks are trained:
        the k blocks of extra masks then follow the n masks in `masks`. Where it has `ignored` (n,),
        which objects have pixels to be ignored, a last block of n masks holds these pixels.
        """
        if not self.training or targets is None:
            found: tuple[Any, Any] = super().forward(features, proposals, image_shapes, targets)
            return found
        rois, matched, labels, deltas = self.select_training_samples(proposals, targets)
        pooled = self.box_head(self.box_roi_pool(features, rois, image_shapes))
        found_class, found_deltas = self.box_predictor(pooled)
        losses = self._box_losses(found_class, found_deltas, torch.cat(labels), torch.cat(deltas))
        kept = [
            (label > 0) & (_weights_of(target)[index] > 0)
            for label, index, target in zip(labels, matched, targets, strict=True)
        ]
        rois = [roi[keep] for roi, keep in zip(rois, kept, strict=True)]
        index = [number[keep] for number, keep in zip(matched, kept, strict=True)]
        logits = self.mask_predictor(
            self.mask_head(self.mask_roi_pool(features, rois, image_shapes))
        )
        return [], {**losses, **mask_losses(logits, rois, targets, index, gamma=self.gamma)}

    def _box_losses(
        self, logits: Tensor, deltas: Tensor, labels: Tensor, goals: Tensor
    ) -> dict[str, Tensor]:
        loss_cls, loss_reg = roi_losses(logits, deltas, labels, goals)
        kept = kept_rois(loss_cls, loss_reg, self.drop) if self._is_dropping() else None
        self.dropped = dropped_shares(kept, labels > 0)
        loss_cls, loss_reg = box_losses(loss_cls, loss_reg, kept)
        return {"loss_classifier": loss_cls, "loss_box_reg": loss_reg}

    def _is_dropping(self) -> bool:
        return is_dropping(self.drop, self.step)


def _weights_of(target: dict[str, Tensor]) -> Tensor:
    """(n + 1,) mask weights and a zero, since RoIs of an empty image all point at object 0."""
    return F.pad(target["mask_weight"], (0, 1))


def roi_losses(
    logits: Tensor, deltas: Tensor, labels: Tensor, goals: Tensor
) -> tuple[Tensor, Tensor]:
    """Both box losses of each RoI.

    Parameters
    ----------
    logits : (r, classes + 1). deltas : (r, 4 * (classes + 1)). labels : (r,), 0 for background.
    goals : (r, 4) deltas to the matched box.

    Returns
    -------
    (r,) cross-entropy; (r,) smooth L1 of the own class, summed over four deltas, 0 for background.

    Source: torchvision's fastrcnn_loss, before it sums.
    """
    rows = torch.nonzero(labels > 0)[:, 0]
    own = deltas.reshape(len(labels), -1, 4)[rows, labels[rows]]
    fit = F.smooth_l1_loss(own, goals[rows], beta=BETA, reduction="none").sum(dim=1)
    loss_cls = F.cross_entropy(logits, labels, reduction="none")
    return loss_cls, torch.zeros_like(loss_cls).index_put((rows,), fit)


def mask_losses(
    logits: Tensor,
    rois: list[Tensor],
    targets: list[dict[str, Tensor]],
    index: list[Tensor],
    *,
    gamma: float | None,
) -> dict[str, Tensor]:
    """The mask losses of RoIs of objects whose mask is trained; 0 without RoIs.

    Parameters
    ----------
    logits : (r, classes + 1, m, m). rois : per image (r_i, 4). index : per image (r_i,) the object.
    gamma : weight of the extra masks; None: no loss of extra masks.
    """
    labels = _gathered(targets, "labels", index)
    weights = _gathered(targets, "mask_weight", index)
    own = logits[torch.arange(len(logits), device=logits.device), labels]  # (r, m, m)
    counted = _counted(own, rois, targets, index)
    goals = _goals(own, rois, targets, index, 0)
    losses = {"loss_mask": weighted_mask_loss(own, goals, weights, counted)}
    if gamma is not None:
        valid = _gathered(targets, "extra_valid", index)  # (r, k)
        blocks = range(1, valid.shape[1] + 1)
        goals = torch.stack([_goals(own, rois, targets, index, k) for k in blocks], dim=1)
        losses["loss_mask_extra"] = extra_mask_loss(
            own, goals, valid, weights, gamma=gamma, counted=counted
        )
    return losses


def _counted(
    own: Tensor, rois: list[Tensor], targets: list[dict[str, Tensor]], index: list[Tensor]
) -> Tensor | None:
    """(r, m, m) bool, cells that no ignored pixel has a part in; None: nothing is to be ignored.

    Cut out as the masks are, so that a cell has a part of an ignored pixel exactly where its goal
    depends on that pixel.
    """
    if "ignored" not in targets[0] or not _gathered(targets, "ignored", index).any():
        return None
    last = targets[0]["extra_valid"].shape[1] + 1
    return _goals(own, rois, targets, index, last) == 0


def _gathered(targets: list[dict[str, Tensor]], key: str, index: list[Tensor]) -> Tensor:
    """What each RoI's object has under `key`."""
    return torch.cat([target[key][rows] for target, rows in zip(targets, index, strict=True)])


def _goals(
    own: Tensor,
    rois: list[Tensor],
    targets: list[dict[str, Tensor]],
    index: list[Tensor],
    block: int,
) -> Tensor:
    """(r, m, m) masks inside their RoIs: block 0 holds the own masks, 1 to k the extra ones.

    One block at a time becomes float, as it is cut out.
    """
    if not len(own):
        return own.detach()
    goals = [
        project_masks_on_boxes(_block(target, block), roi, rows, own.shape[-1])
        for target, roi, rows in zip(targets, rois, index, strict=True)
    ]
    return torch.cat(goals)


def _block(target: dict[str, Tensor], number: int) -> Tensor:
    """(n, h, w), one of the blocks of n masks."""
    count = len(target["labels"])
    return target["masks"][number * count : (number + 1) * count]
