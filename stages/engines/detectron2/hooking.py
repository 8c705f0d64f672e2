"""The training hooks, put into a network of detectron2 that is built, where its heads allow.

Classes of its parts are exchanged for ours, as in the torchvision engine: weights, their names and
the configuration stay stock, so that detectron2's own tools open what was trained. Of a user's
network some parts may be others; which hooks found no place is said, and refused where they are on.
"""

from typing import Any

from detectron2.modeling import StandardROIHeads
from detectron2.modeling.roi_heads import FastRCNNOutputLayers, MaskRCNNConvUpsampleHead

from stages.engines.detectron2.heads import BoxPredictor, MaskHead, TrustedMasks
from stages.runtime.program import Sentence
from stages.settings.train import Train


def add_hooks(network: Any, settings: Train) -> Any:
    """The network with the hooks of the settings in its heads; changed in place.

    Raises
    ------
    ValueError : it has no boxes with masks to train, or a hook that is on finds no place.
    """
    heads = checked_heads(network, settings)
    if isinstance(heads, StandardROIHeads):
        heads.__class__ = _over(type(heads))
    if takes_drop(heads):
        heads.box_predictor.__class__ = BoxPredictor
        heads.box_predictor.drop = settings.roi_drop
    if takes_weights(heads):
        heads.mask_head.__class__ = MaskHead
        heads.mask_head.multi_mask = settings.multi_mask
    return network


def _over(heads: type) -> type:
    return type(f"Trusting{heads.__name__}", (TrustedMasks, heads), {})


def checked_heads(network: Any, settings: Train) -> Any:
    """The heads of a network that is not changed yet; raises ValueError as `add_hooks` does."""
    heads = getattr(network, "roi_heads", None)
    if not getattr(heads, "mask_on", False):
        raise ValueError(
            f"train.config: {type(network).__name__} has no RoI heads with masks. Set "
            "MODEL.MASK_ON=True, or take a network with a mask head."
        )
    if getattr(heads, "keypoint_on", False):
        raise ValueError(
            "train.config: labels here have no keypoints. Set MODEL.KEYPOINT_ON=False."
        )
    wanted = {"roi_drop": settings.roi_drop.enabled, "multi_mask": settings.multi_mask.enabled}
    for hook, why in without_place(heads).items():
        if wanted.get(hook):
            raise ValueError(
                f"train.{hook} is enabled, but finds no place in {type(heads).__name__}: {why}. "
                f"Set train.{hook}.enabled: false, or take other heads."
            )
    return heads


def takes_drop(heads: Any) -> bool:
    """Whether the box losses can be those of `BoxPredictor`: stock, with a box for each class."""
    predictor = heads.box_predictor
    return (
        type(predictor) is FastRCNNOutputLayers
        and predictor.box_reg_loss_type == "smooth_l1"
        and not getattr(predictor, "use_sigmoid_ce", False)  # later than 0.6
        and set(predictor.loss_weight.values()) == {1.0}
        and predictor.bbox_pred.out_features == 4 * heads.num_classes
    )


def takes_weights(heads: Any) -> bool:
    """Whether the mask loss can be that of `MaskHead`: stock, with a mask for each class."""
    head = heads.mask_head
    return (
        type(head) is MaskRCNNConvUpsampleHead
        and head.loss_weight == 1.0
        and head.predictor.out_channels == heads.num_classes
    )


def without_place(heads: Any) -> dict[str, str]:
    """The hooks that these heads do not take, with the reason."""
    box = "it needs stock box losses (softmax, smooth L1, a box for each class, weight 1)"
    mask = "it needs the stock mask head with a mask for each class"
    cut = "" if isinstance(heads, StandardROIHeads) else ", and masks of weight 0 are trained too"
    drop = {} if takes_drop(heads) else {"roi_drop": box}
    if takes_weights(heads):
        return drop
    weights = f"{mask}; weights above 0 count as 1{cut}"
    return {**drop, "multi_mask": mask, "mask_weight": weights, "ignore_mask": mask}


def hooks_told_of(heads: Any) -> Sentence:
    """Which hooks the heads of a user's network take, for the log; before they are put in."""
    absent = without_place(heads)
    names = ("mask_weight", "ignore_mask", "multi_mask", "roi_drop", "copy_paste")
    taken = ", ".join(name for name in names if name not in absent)
    without = "".join(f"; not {name}: {why}" for name, why in absent.items())
    return f"train.config: {type(heads).__name__} takes the hooks {taken}{without}."
