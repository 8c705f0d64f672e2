"""A ResNet with FPN that is trained: feature maps of an image.

SAPNet, Sec. 4.1 (ResNet-50 with FPN; GroupNorm after every FPN convolution, P6 from C5, and the
frozen stem as in the authors' code).
"""

from collections import OrderedDict
from pathlib import Path

import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.resnet import ResNet

from stages.learning.adapter import group_norm
from stages.runtime.provenance import sha256_of
from stages.runtime.weights import read_weights

MEAN = (123.675, 116.28, 103.53)  # RGB, 0 to 255
STD = (58.395, 57.12, 57.375)
DIVISOR = 32  # px; image sides are padded to a multiple


class ResNetFpn(nn.Module):
    """ResNet-18 or -50 with a GroupNorm FPN: (b, 3, h, w) normalised pixels to P2..P6."""

    strides = (4, 8, 16, 32, 64)

    def __init__(self, name: str, channels: int, weights: Path | None, sha256: str | None):
        super().__init__()
        norm = nn.BatchNorm2d if weights else group_norm
        self.body: ResNet = getattr(torchvision.models, name)(weights=None, norm_layer=norm)
        if weights:
            load_resnet(self.body, weights, sha256)
            _freeze(self.body)
        self.body.fc = nn.Identity()
        widths = [512 // 8, 512 // 4, 512 // 2, 512]
        widths = [4 * width for width in widths] if name == "resnet50" else widths
        self.lateral = nn.ModuleList(_conv(width, channels, 1) for width in widths)
        self.output = nn.ModuleList(_conv(channels, channels, 3) for _ in widths)
        self.extra = _conv(widths[-1], channels, 3, stride=2)

    def train(self, mode: bool = True) -> "ResNetFpn":
        """Batch statistics are never learned: a batch is too small (authors' code: eval mode)."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def forward(self, pixels: Tensor) -> list[Tensor]:
        """Maps of strides 4 to 64, finest first."""
        stages = self._stages(pixels)
        inner = [lateral(stage) for lateral, stage in zip(self.lateral, stages, strict=True)]
        for level in range(len(inner) - 2, -1, -1):
            size = inner[level].shape[-2:]
            inner[level] = inner[level] + F.interpolate(inner[level + 1], size=size)
        outer = [conv(level) for conv, level in zip(self.output, inner, strict=True)]
        return [*outer, self.extra(stages[-1])]

    def _stages(self, pixels: Tensor) -> list[Tensor]:
        body = self.body
        x = body.maxpool(body.relu(body.bn1(body.conv1(pixels))))
        stages = []
        for layer in (body.layer1, body.layer2, body.layer3, body.layer4):
            x = layer(x)
            stages.append(x)
        return stages


def _conv(channels_in: int, channels: int, size: int, *, stride: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(channels_in, channels, size, stride, size // 2, bias=False)
    return nn.Sequential(OrderedDict(conv=conv, norm=group_norm(channels)))


def _freeze(body: ResNet) -> None:
    """Stem and first stage are not trained (authors' code)."""
    for part in (body.conv1, body.bn1, body.layer1):
        part.requires_grad_(False)


def load_resnet(body: ResNet, weights: Path, sha256: str | None) -> None:
    """Load a torchvision ResNet weight file, strictly but for the classifier.

    Raises
    ------
    ValueError : missing file, wrong checksum, or weights of another network.
    """
    if not weights.is_file():
        raise ValueError(f"{weights}: this ResNet weight file is missing. Correct its path.")
    if sha256 and sha256_of(weights) != sha256.lower():
        raise ValueError(f"{weights}: its sha256 is {sha256_of(weights)}, but {sha256} is wanted.")
    state = read_weights(weights)
    try:
        kept = {key: value for key, value in state.items() if not key.startswith("fc.")}
        wrong = body.load_state_dict(kept, strict=False)
    except Exception as error:  # torch raises many kinds for damaged files and other shapes
        reason = str(error).splitlines()[-1].strip()
        raise ValueError(f"{weights}: not the weights of this ResNet ({reason}).") from error
    optional = ("fc.", "num_batches_tracked")  # old weight files lack the counters
    missing = [key for key in wrong.missing_keys if not any(part in key for part in optional)]
    if missing or wrong.unexpected_keys:
        odd = (missing + list(wrong.unexpected_keys))[:3]
        raise ValueError(f"{weights}: not the weights of this ResNet (first differences: {odd}).")


def normalised(image: Tensor) -> Tensor:
    """(3, h, w) pixels of 0 to 255 to zero mean and unit deviation, padded to multiples of 32."""
    mean, std = (torch.tensor(v, device=image.device)[:, None, None] for v in (MEAN, STD))
    height, width = image.shape[-2:]
    pad = (0, -width % DIVISOR, 0, -height % DIVISOR)
    return F.pad((image - mean) / std, pad)
