"""The training hooks, put into a network of detectron2 that is built.

Classes of its parts are exchanged for ours, as in the torchvision engine: weights, their names and
the configuration stay stock, so that detectron2's own tools open what was trained.
"""

from typing import Any

from detectron2.modeling import StandardROIHeads
from detectron2.modeling.roi_heads import FastRCNNOutputLayers, MaskRCNNConvUpsampleHead

from stages.engines.detectron2.heads import BoxPredictor, MaskHead, TrustedMasks
from stages.settings.train import Train


def add_hooks(network: Any, settings: Train) -> Any:
    """The network with the hooks of the settings in its heads; changed in place."""
    heads = network.roi_heads
    if isinstance(heads, StandardROIHeads):
        heads.__class__ = _over(type(heads))
    if type(heads.box_predictor) is FastRCNNOutputLayers:
        heads.box_predictor.__class__ = BoxPredictor
        heads.box_predictor.drop = settings.roi_drop
    if type(heads.mask_head) is MaskRCNNConvUpsampleHead:
        heads.mask_head.__class__ = MaskHead
        heads.mask_head.multi_mask = settings.multi_mask
    return network


def _over(heads: type) -> type:
    return type(f"Trusting{heads.__name__}", (TrustedMasks, heads), {})
