"""Settings as a detectron2 configuration: the same network and numbers as the torchvision engine.

From detectron2's `mask_rcnn_R_50_FPN_1x.yaml`; what the two libraries do differently (losses, RoI
alignment, first weights) stays as each has it. He et al., "Mask R-CNN" (2017), with FPN.
"""

from typing import Any

import torch
from detectron2 import model_zoo
from detectron2.config import CfgNode, get_cfg

from stages.engines.detectron2.heads import HeadsDrawnTwice
from stages.engines.detectron2.users import read_config, stock_network, users_network
from stages.engines.mask_rcnn import ASPECTS, RPN_KEPT, anchors
from stages.learning.adapter import GROUPS
from stages.learning.backbone import MEAN, STD
from stages.settings.train import Train

BASE = "COCO-InstanceSegmentation/mask_rcnn_R_50_FPN_1x.yaml"
DEPTHS = {"resnet18": 18, "resnet50": 50, "resnet101": 101}
STAGE_CHANNELS = {18: 64, 50: 256, 101: 256}  # of the first stage
FROZEN_STAGES = 2  # stem and first stage, as stock, where the weights come from a file


def check_widths(settings: Train) -> None:
    """Raise ValueError for a width that detectron2 cannot normalise.

    One channel per group could be down to a single pixel, which torch refuses to normalise; fewer
    groups can be built, but no key of detectron2 records them, so that its own tools would open
    another network.
    """
    width = settings.fpn_channels
    if settings.norm == "group" and (width % GROUPS or width == GROUPS):
        raise ValueError(
            f"train.fpn_channels is {width}, but GroupNorm of detectron2 has {GROUPS} groups of at "
            f"least two channels. Set a multiple of {GROUPS} from {2 * GROUPS} on, or "
            "train.engine: torchvision."
        )


def config_of(settings: Train, classes: int) -> Any:
    """The configuration, of stock keys alone; without paths, so equal settings give equal text.

    Parameters
    ----------
    classes : number of classes, without the background.

    Returns
    -------
    A CfgNode; of a LazyConfig in `settings.config` a DictConfig with its node `model`.
    """
    if not settings.config:
        return own_config(settings, classes)
    config = read_config(settings, classes)
    if isinstance(config, CfgNode):
        _set_sizes(config, settings)
        _set_schedule(config, settings)
    return config


def own_config(settings: Train, classes: int) -> CfgNode:
    """The configuration of the network that section `train` describes."""
    config = get_cfg()
    config.merge_from_file(model_zoo.get_config_file(BASE))
    config.MODEL.WEIGHTS = ""  # nothing is ever downloaded
    config.DATASETS.TRAIN = config.DATASETS.TEST = ()
    _set_pixels(config)
    _set_sizes(config, settings)
    _set_backbone(config.MODEL, settings)
    _set_rpn(config.MODEL, settings)
    _set_heads(config.MODEL, settings, classes)
    config.TEST.DETECTIONS_PER_IMAGE = settings.detections_per_image
    _set_schedule(config, settings)
    return config


def _set_pixels(config: CfgNode) -> None:
    config.INPUT.FORMAT = "RGB"
    config.MODEL.PIXEL_MEAN, config.MODEL.PIXEL_STD = list(MEAN), list(STD)


def _set_sizes(config: CfgNode, settings: Train) -> None:
    config.INPUT.MASK_FORMAT = "bitmask"
    config.INPUT.MIN_SIZE_TRAIN = settings.sides
    config.INPUT.MIN_SIZE_TEST = settings.test_side
    config.INPUT.MAX_SIZE_TRAIN = config.INPUT.MAX_SIZE_TEST = settings.long_side
    config.DATALOADER.NUM_WORKERS = settings.workers


def _set_backbone(model: CfgNode, settings: Train) -> None:
    depth = DEPTHS[settings.backbone]
    model.RESNETS.DEPTH = depth
    model.RESNETS.RES2_OUT_CHANNELS = STAGE_CHANNELS[depth]
    model.RESNETS.STRIDE_IN_1X1 = False  # as torchvision's, whose weights it takes
    model.RESNETS.NORM = "GN" if settings.norm == "group" else "FrozenBN"
    model.BACKBONE.FREEZE_AT = FROZEN_STAGES if settings.weights else 0
    model.FPN.OUT_CHANNELS = settings.fpn_channels
    model.FPN.NORM = model.ROI_MASK_HEAD.NORM = "GN" if settings.norm == "group" else ""


def _set_rpn(model: CfgNode, settings: Train) -> None:
    grid = anchors(settings.test_side)
    model.ANCHOR_GENERATOR.SIZES = [list(sizes) for sizes in grid.sizes]
    model.ANCHOR_GENERATOR.ASPECT_RATIOS = [list(ASPECTS)]
    kept, kept_test = (min(4 * settings.rois_per_image, stock) for stock in RPN_KEPT)
    model.RPN.PRE_NMS_TOPK_TRAIN = model.RPN.POST_NMS_TOPK_TRAIN = kept
    model.RPN.PRE_NMS_TOPK_TEST = model.RPN.POST_NMS_TOPK_TEST = kept_test
    model.RPN.BATCH_SIZE_PER_IMAGE = settings.rois_per_image // 2


def _set_heads(model: CfgNode, settings: Train, classes: int) -> None:
    model.ROI_HEADS.NUM_CLASSES = classes
    model.ROI_HEADS.BATCH_SIZE_PER_IMAGE = settings.rois_per_image
    model.ROI_HEADS.SCORE_THRESH_TEST = settings.score_threshold
    model.ROI_BOX_HEAD.FC_DIM = 4 * settings.fpn_channels
    model.ROI_MASK_HEAD.CONV_DIM = settings.fpn_channels


def _set_schedule(config: CfgNode, settings: Train) -> None:
    """Steps are taken by `stages.learning.trainer`; these numbers say the same."""
    config.SOLVER.MAX_ITER = settings.iterations
    config.SOLVER.IMS_PER_BATCH = settings.batch_images
    config.SOLVER.BASE_LR = settings.lr
    config.SOLVER.WARMUP_ITERS = settings.warmup
    config.SOLVER.STEPS = tuple(round(s * settings.iterations) for s in settings.milestones)
    config.SOLVER.WEIGHT_DECAY = settings.weight_decay
    config.SOLVER.CHECKPOINT_PERIOD = settings.checkpoint_every


def build_network(config: Any, device: torch.device, *, own: bool = True) -> Any:
    """The network with fresh weights, without hooks; own: it is that of section `train`."""
    if not own:
        return users_network(config, device)
    drawn = config.clone()
    drawn.MODEL.ROI_HEADS.NAME = HeadsDrawnTwice.__name__
    return stock_network(drawn, device)
