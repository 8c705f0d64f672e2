"""A torchvision ResNet weight file in detectron2's ResNet: the same start for both engines."""

import re
from pathlib import Path

import torchvision
from torch import nn
from torchvision.ops import FrozenBatchNorm2d

from stages.learning.adapter import group_norm
from stages.learning.backbone import load_resnet
from stages.settings.train import Train


def load_backbone(bottom_up: nn.Module, settings: Train) -> None:
    """Load `settings.weights` into detectron2's ResNet; every weight must find its place.

    Raises
    ------
    ValueError : the file is missing, has another checksum, or is of another network.
    """
    norm = group_norm if settings.norm == "group" else FrozenBatchNorm2d
    body = getattr(torchvision.models, settings.backbone)(weights=None, norm_layer=norm)
    load_resnet(body, Path(str(settings.weights)), settings.weights_sha256)
    body.fc = nn.Identity()
    state = {renamed(key): value for key, value in body.state_dict().items()}
    bottom_up.load_state_dict(state, strict=True)


def renamed(key: str) -> str:
    """detectron2's name of a weight of torchvision's ResNet.

    layerN is res(N+1), bnK is the norm of convK, downsample is shortcut, and what comes before
    the layers is the stem.
    """
    key = re.sub(r"\bbn(\d)", r"conv\1.norm", key)
    key = key.replace("downsample.0", "shortcut").replace("downsample.1", "shortcut.norm")
    stage = re.match(r"layer(\d)", key)
    return f"res{int(stage[1]) + 1}{key[stage.end() :]}" if stage else f"stem.{key}"
