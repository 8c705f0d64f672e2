"""What looks at a crop: backbones by name, each of which ends in one map.

The maps of all resolutions are brought to the finest one's size and concatenated, as HRNetV2 does
in BoxCaseg (CVPR 2021); torchvision has no HRNet, so its ResNets stand in, each stage behind a 1x1
convolution, and `small` is a residual network that a CPU can train in minutes. To plug in another,
such as timm's hrnet_w48, give `BACKBONES` a function that makes a module with `widths`, the
channels of its maps, and a `forward` from (n, 3, h, w) to the list of these maps, finest first;
HRNet's need no 1x1 convolutions (`propose.boxcaseg.channels: null`), and make C = 720.
"""

import itertools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional as F

from stages.runtime.provenance import sha256_of
from stages.runtime.weights import read_weights
from stages.segmenters.tiny import build_vit_tiny

SMALL_WIDTHS = (32, 64, 96, 128)  # of strides 2, 4, 8 and 16


class ResNetMaps(nn.Module):
    """A ResNet of torchvision, trained with its norms: maps of strides 4, 8, 16 and 32."""

    def __init__(self, name: str):
        super().__init__()
        body = getattr(torchvision.models, name)(weights=None)
        wide = body.fc.in_features
        body.fc = nn.Identity()
        self.body = body
        self.widths = [wide // 8, wide // 4, wide // 2, wide]

    def forward(self, pixels: Tensor) -> list[Tensor]:
        """Finest first."""
        body = self.body
        x = body.maxpool(body.relu(body.bn1(body.conv1(pixels))))
        maps = []
        for layer in (body.layer1, body.layer2, body.layer3, body.layer4):
            x = layer(x)
            maps.append(x)
        return maps


class SmallMaps(nn.Module):
    """A residual network of 0.7 M weights, for a CPU: maps of strides 2, 4, 8 and 16."""

    def __init__(self) -> None:
        super().__init__()
        self.widths = list(SMALL_WIDTHS)
        wide = [3, *SMALL_WIDTHS]
        self.down = nn.ModuleList(_convolved(a, b, stride=2) for a, b in itertools.pairwise(wide))
        self.blocks = nn.ModuleList(_Block(width) for width in SMALL_WIDTHS)

    def forward(self, pixels: Tensor) -> list[Tensor]:
        """Finest first."""
        maps, x = [], pixels
        for down, block in zip(self.down, self.blocks, strict=True):
            x = block(down(x))
            maps.append(x)
        return maps


class TinySamMaps(nn.Module):
    """The image encoder of the tiny SAM, as it is, beside the maps of `SmallMaps`, which learn.

    In the paper the backbone has learnt from ImageNet before. The encoder takes the place of that:
    it is not trained here, and needs its weights (`propose.boxcaseg.checkpoint`).
    """

    def __init__(self) -> None:
        super().__init__()
        self.fine = SmallMaps()
        self.body = build_vit_tiny().image_encoder.requires_grad_(False)
        self.widths = [*self.fine.widths, int(self.body.neck[0].out_channels)]

    def forward(self, pixels: Tensor) -> list[Tensor]:
        """Finest first; the encoder's is the last."""
        side = self.body.img_size
        with torch.no_grad():
            large = F.interpolate(pixels, (side, side), mode="bilinear", antialias=True)
            seen = self.body(large)
        return [*self.fine(pixels), seen]


class _Block(nn.Module):
    """Two 3x3 convolutions that add to what they are given."""

    def __init__(self, width: int):
        super().__init__()
        self.first = _convolved(width, width)
        self.second = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.second(self.first(x)))


def _convolved(wide: int, width: int, *, stride: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(wide, width, 3, stride, padding=1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(width), nn.ReLU())


BACKBONES: dict[str, Callable[[], nn.Module]] = {  # by propose.boxcaseg.backbone
    "small": SmallMaps,
    "tiny_sam": TinySamMaps,
    "resnet18": lambda: ResNetMaps("resnet18"),
    "resnet50": lambda: ResNetMaps("resnet50"),
}


class Concatenated(nn.Module):
    """One map of all of a backbone's: each at the finest one's size, side by side.

    Parameters
    ----------
    channels : that each map is brought to by a 1x1 convolution; None: its own.
    """

    def __init__(self, body: nn.Module, channels: int | None):
        super().__init__()
        self.body = body
        widths = [int(width) for width in body.widths]  # type: ignore[union-attr]
        self.reduced = nn.ModuleList(
            nn.Conv2d(width, channels, 1) if channels else nn.Identity() for width in widths
        )
        self.width = channels * len(widths) if channels else sum(widths)

    def forward(self, pixels: Tensor) -> Tensor:
        """(n, 3, h, w) normalised pixels to (n, width, rows, columns)."""
        maps = [reduce(each) for reduce, each in zip(self.reduced, self.body(pixels), strict=True)]
        size = maps[0].shape[-2:]
        larger = [F.interpolate(each, size, mode="bilinear") for each in maps[1:]]
        return torch.cat([maps[0], *larger], dim=1)


def load_weights(
    body: nn.Module, path: Path, sha256: str | None, *, block: str = "propose.boxcaseg"
) -> None:
    """Start a backbone from a weight file of torchvision, strictly but for the classifier.

    Parameters
    ----------
    block : of the config, which holds the keys that the sentences name.

    Raises
    ------
    ValueError : it is missing, another one, damaged, or of another network.
    """
    if not path.is_file():
        raise ValueError(f"{block}.checkpoint: {path} is missing. Correct its path.")
    if sha256 and sha256_of(path) != sha256.lower():
        raise ValueError(
            f"{block}.checkpoint: {path} has the sha256 {sha256_of(path)}, but {sha256} "
            f"is wanted. Correct the file or {block}.sha256."
        )
    inner: Any = body if isinstance(body, SmallMaps) else body.body
    state = read_weights(path)
    try:
        inner.load_state_dict(of_backbone(state))
    except Exception as error:  # torch raises many kinds for damaged files and other shapes
        raise ValueError(
            f"{block}.checkpoint: {path} does not hold the weights of this backbone "
            f"({reason_of(error)}). Take those of {block}.backbone, or null."
        ) from error


def of_backbone(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Of torchvision's weights all but the classifier; of SAM's the image encoder."""
    start = "image_encoder."
    encoder = {k.removeprefix(start): v for k, v in state.items() if k.startswith(start)}
    return encoder or {k: v for k, v in state.items() if not k.startswith("fc.")}


def reason_of(error: Exception) -> str:
    """What torch says last of weights that do not load; the kind of error where it says nothing."""
    return (str(error).splitlines() or [type(error).__name__])[-1].strip()
