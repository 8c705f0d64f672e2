"""detectron2's box and mask heads with the losses of the training hooks; else as stock.

With neutral hooks (masks of weight 1, no extra masks, no RoI dropped) the losses are detectron2's.
What a hook needs of an object travels to its RoIs in fields named `gt_*`, as detectron2 carries
every such field. These classes take the place of stock ones in a network that is built
(`hooking`), so weights, their names and the configuration stay stock.
"""

from typing import Any

import torch
from detectron2.layers import ROIAlign, ShapeSpec
from detectron2.modeling import ROI_HEADS_REGISTRY, StandardROIHeads
from detectron2.modeling.roi_heads import FastRCNNOutputLayers, MaskRCNNConvUpsampleHead
from detectron2.structures import Instances
from detectron2.utils.events import get_event_storage
from torch import Tensor
from torch.nn import functional as F

from stages.engines.hooks import (
    box_losses,
    dropped_shares,
    extra_mask_loss,
    is_dropping,
    kept_rois,
    weighted_mask_loss,
)
from stages.settings.train import MultiMask, RoiDrop

EXTRA_MASKS = ("gt_extra_masks0", "gt_extra_masks1", "gt_extra_masks2")
IGNORED = "gt_ignore_masks"  # pixels that no mask loss looks at, where the labels have any


class BoxPredictor(FastRCNNOutputLayers):  # type: ignore[misc]
    """Classes and boxes of RoIs; in training those that fit badly may be left out.

    drop : the RoI drop.
    """

    drop: RoiDrop = RoiDrop()

    def losses(
        self, predictions: tuple[Tensor, Tensor], proposals: list[Instances]
    ) -> dict[str, Tensor]:
        """Both box losses; the shares of dropped RoIs go to the event storage, as DROPPED.

        Parameters
        ----------
        predictions : logits (r, classes + 1) and deltas (r, 4 classes) of all sampled RoIs.
        """
        logits, deltas = (found.float() for found in predictions)  # may be bfloat16
        labels = torch.cat([rois.gt_classes for rois in proposals])
        loss_cls = F.cross_entropy(logits, labels, reduction="none")
        loss_reg = self.box_loss_per_roi(deltas, labels, proposals)
        storage = get_event_storage()
        dropping = is_dropping(self.drop, storage.iter)
        kept = kept_rois(loss_cls, loss_reg, self.drop) if dropping else None
        if self.drop.enabled:
            storage.put_scalars(**dropped_shares(kept, labels < self.num_classes))
        losses = box_losses(loss_cls, loss_reg, kept)
        return dict(zip(("loss_cls", "loss_box_reg"), losses, strict=True))

    def box_loss_per_roi(
        self, deltas: Tensor, labels: Tensor, proposals: list[Instances]
    ) -> Tensor:
        """Smooth L1 of each RoI's class, summed over the four deltas; 0 for background.

        Returns
        -------
        (r,).
        """
        rois = torch.cat([found.proposal_boxes.tensor for found in proposals])
        goals = torch.cat([_matched_boxes(found) for found in proposals])
        rows = torch.nonzero(labels < self.num_classes)[:, 0]  # the background is the last class
        chosen = deltas.view(len(deltas), self.num_classes, 4)[rows, labels[rows]]
        wanted = self.box2box_transform.get_deltas(rois[rows], goals[rows])
        each = F.smooth_l1_loss(chosen, wanted, reduction="none", beta=self.smooth_l1_beta)
        return deltas.new_zeros(len(deltas)).index_put((rows,), each.sum(dim=1))


def _matched_boxes(found: Instances) -> Tensor:
    """(r, 4) of each RoI's object; of an image without objects all RoIs are background."""
    boxes: Tensor = (found.gt_boxes if found.has("gt_boxes") else found.proposal_boxes).tensor
    return boxes


@ROI_HEADS_REGISTRY.register()
class HeadsDrawnTwice(StandardROIHeads):  # type: ignore[misc]
    """detectron2's heads, whose box predictor is drawn once more, so that seeds keep their start.

    A network of the settings has always drawn its first weights in this order.
    """

    @classmethod
    def _init_box_head(cls, cfg: Any, input_shape: dict[str, ShapeSpec]) -> dict[str, Any]:
        parts: dict[str, Any] = super()._init_box_head(cfg, input_shape)
        again = FastRCNNOutputLayers(cfg, parts["box_head"].output_shape)
        return {**parts, "box_predictor": again}


class TrustedMasks:
    """Laid over heads of detectron2: RoIs of masks of weight 0 never reach the mask head."""

    training: bool

    def _forward_mask(self, features: dict[str, Tensor], instances: list[Instances]) -> Any:
        if self.training:
            instances = [_trusted(rois) for rois in instances]
        return super()._forward_mask(features, instances)  # type: ignore[misc]


def _trusted(rois: Instances) -> Instances:
    """The RoIs whose object's mask has a weight; images without objects have no such field."""
    return rois[rois.gt_mask_weight > 0] if rois.has("gt_mask_weight") else rois


class MaskHead(MaskRCNNConvUpsampleHead):  # type: ignore[misc]
    """detectron2's mask head with weighted masks and, with multi_mask, a loss to extra masks.

    multi_mask : the loss to extra masks. Pixels in the field IGNORED count in neither loss.
    """

    multi_mask: MultiMask = MultiMask()

    def forward(self, features: Tensor, instances: list[Instances]) -> Any:
        """Losses in training, the instances with `pred_masks` else.

        Parameters
        ----------
        features : (r, channels, 14, 14) of the RoIs of all images. instances : the same per image.
        """
        if not self.training:
            return super().forward(features, instances)
        logits = self.layers(features)  # (r, classes, m, m)
        found = [rois for rois in instances if len(rois)]
        if not found:
            zero = logits.sum() * 0
            return self._named(zero, zero)
        labels, weights = (_joined(found, name) for name in ("gt_classes", "gt_mask_weight"))
        logits = logits[torch.arange(len(logits), device=logits.device), labels]  # (r, m, m)
        counted = _counted(found, logits)
        loss = weighted_mask_loss(logits, _goals(found, "gt_masks", logits), weights, counted)
        if not self.multi_mask.enabled:
            return self._named(loss, loss)
        goals = torch.stack([_goals(found, name, logits) for name in EXTRA_MASKS], dim=1)
        valid, gamma = _joined(found, "gt_extra_valid"), self.multi_mask.gamma
        extra = extra_mask_loss(logits, goals, valid, weights, gamma=gamma, counted=counted)
        return self._named(loss, extra)

    def _named(self, loss: Tensor, extra: Tensor) -> dict[str, Tensor]:
        more = {"loss_mask_extra": extra} if self.multi_mask.enabled else {}
        return {"loss_mask": loss, **more}


def _joined(found: list[Instances], name: str) -> Tensor:
    return torch.cat([rois.get(name) for rois in found])


def _goals(found: list[Instances], name: str, logits: Tensor) -> Tensor:
    """(r, m, m) float masks of a field, cut out at each RoI; 0 or 1, as stock."""
    side = logits.shape[-1]
    cuts = [rois.get(name).crop_and_resize(rois.proposal_boxes.tensor, side) for rois in found]
    return torch.cat(cuts).to(logits)


def _counted(found: list[Instances], logits: Tensor) -> Tensor | None:
    """(r, m, m) bool, cells that no ignored pixel has a part in; None: nothing is to be ignored.

    Cut out as `BitMasks.crop_and_resize` does, but for its threshold of a half: so a cell has a
    part of an ignored pixel wherever its goal may depend on that pixel.
    """
    if not found[0].has(IGNORED):
        return None
    align = ROIAlign(logits.shape[-2:], 1.0, 0, aligned=True)
    return torch.cat([_part_ignored(align, rois) for rois in found]) == 0


def _part_ignored(align: ROIAlign, rois: Instances) -> Tensor:
    """(r, m, m) share of ignored pixels in each cell of the RoIs of one image."""
    masks = rois.get(IGNORED).tensor[:, None].float()  # (r, 1, h, w)
    boxes = rois.proposal_boxes.tensor
    numbers = torch.arange(len(boxes), device=boxes.device)[:, None]
    parts: Tensor = align(masks, torch.cat([numbers.to(boxes), boxes], dim=1))
    return parts[:, 0]
