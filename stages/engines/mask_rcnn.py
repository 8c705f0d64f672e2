"""torchvision's Mask R-CNN at any size, from scratch or from a local weight file.

He et al., "Mask R-CNN" (2017), with FPN. Widths follow `fpn_channels` in the stock proportions
(256 gives the stock heads); anchors are stock from a `short_side` of 256 px on and smaller below;
what the RPN samples and keeps follows `rois_per_image` (512 gives the stock numbers). From scratch
it has GroupNorm everywhere, as in He et al., "Rethinking ImageNet Pre-training" (2019). The RoI
heads have the training hooks.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torchvision
from torch import nn
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.ops import FrozenBatchNorm2d

from stages.engines.roi_heads import WeightedRoIHeads
from stages.learning.adapter import GROUP_NUMBERS, group_norm
from stages.learning.backbone import load_resnet
from stages.settings.train import Train

LEVELS = {"layer1": "0", "layer2": "1", "layer3": "2", "layer4": "3"}  # P2 to P5; P6 is pooled
ROI_SIZE = 7  # px, of the box head's input
SMALLEST_ANCHOR = 32  # px, stock; an eighth of the short side where that is less
RPN_KEPT = (2000, 1000)  # boxes kept in training and in inference, stock
ASPECTS = (0.5, 1.0, 2.0)
Norm = Callable[[int], nn.Module]


def build_mask_rcnn(settings: Train, classes: int) -> MaskRCNN:
    """The network with fresh weights, or with the backbone's from `settings.weights`.

    Parameters
    ----------
    classes : number of classes, without the background.

    Raises
    ------
    ValueError : the weight file is missing, has another checksum, or is of another network.
    """
    width = settings.fpn_channels
    model = MaskRCNN(
        _backbone(settings),
        rpn_anchor_generator=anchors(settings.test_side),
        box_head=TwoMLPHead(width * ROI_SIZE**2, 4 * width),
        box_predictor=FastRCNNPredictor(4 * width, classes + 1),
        mask_head=MaskRCNNHeads(width, (width,) * 4, 1, norm_layer=_head_norm(settings)),
        mask_predictor=MaskRCNNPredictor(width, width, classes + 1),
        **numbers_of(settings),
    )
    model.roi_heads.__class__ = WeightedRoIHeads  # same weights, same keys, other losses
    model.roi_heads.drop = settings.roi_drop
    model.roi_heads.gamma = settings.multi_mask.gamma if settings.multi_mask.enabled else None
    return model


def numbers_of(settings: Train) -> dict[str, Any]:
    """The arguments of torchvision's MaskRCNN that are plain numbers."""
    rois = settings.rois_per_image
    kept, kept_test = (min(4 * rois, stock) for stock in RPN_KEPT)
    return {
        "min_size": settings.test_side,
        "max_size": settings.long_side,
        "box_score_thresh": settings.score_threshold,
        "box_detections_per_img": settings.detections_per_image,
        "box_batch_size_per_image": rois,
        "rpn_batch_size_per_image": rois // 2,
        "rpn_pre_nms_top_n_train": kept,
        "rpn_post_nms_top_n_train": kept,
        "rpn_pre_nms_top_n_test": kept_test,
        "rpn_post_nms_top_n_test": kept_test,
    }


def description_of(settings: Train, classes: Sequence[str]) -> dict[str, Any]:
    """All that is needed to build the network with torchvision alone; plain values.

    Parameters
    ----------
    classes : names, without the background.

    Returns
    -------
    groups : numbers of groups of a GroupNorm; the first is taken that leaves two or more channels
    to each group. Empty: FrozenBatchNorm2d in the backbone, no norm in FPN and mask head.
    """
    grid = anchors(settings.test_side)
    return {
        "backbone": settings.backbone,
        "groups": GROUP_NUMBERS if settings.norm == "group" else (),
        "levels": LEVELS,
        "widths": _widths(settings.backbone),
        "fpn_channels": settings.fpn_channels,
        "anchor_sizes": grid.sizes,
        "aspect_ratios": grid.aspect_ratios,
        "arguments": numbers_of(settings),
        "classes": ["__background__", *classes],
    }


def anchors(short_side: int) -> AnchorGenerator:
    """Anchors of one size per level, P2 to P6, each twice as large as the one before."""
    smallest = min(SMALLEST_ANCHOR, short_side // 8)
    return AnchorGenerator(tuple((smallest << level,) for level in range(5)), (ASPECTS,) * 5)


def _backbone(settings: Train) -> BackboneWithFPN:
    norm = group_norm if settings.norm == "group" else FrozenBatchNorm2d
    body = getattr(torchvision.models, settings.backbone)(weights=None, norm_layer=norm)
    if settings.weights:
        load_resnet(body, Path(settings.weights), settings.weights_sha256)
        for part in (body.conv1, body.bn1, body.layer1):  # as stock: three stages are trained
            part.requires_grad_(False)
    return BackboneWithFPN(
        body,
        LEVELS,
        _widths(settings.backbone),
        settings.fpn_channels,
        norm_layer=_head_norm(settings),
    )


def _widths(backbone: str) -> list[int]:
    """Channels of the four stages."""
    return [width * (1 if backbone == "resnet18" else 4) for width in (64, 128, 256, 512)]


def _head_norm(settings: Train) -> Norm | None:
    return group_norm if settings.norm == "group" else None
