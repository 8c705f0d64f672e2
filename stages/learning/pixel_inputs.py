"""Resized pixels for a ResNet that is trained (SAPNet, Sec. 4.1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stages.learning.backbone import ResNetFpn, normalised
from stages.learning.inputs import Inputs, Key
from stages.learning.two_branch import batched_pixels
from stages.runtime.provenance import sha256_of
from stages.settings.propose import Propose
from stages.settings.selectors.psm import Features

PACKAGES = ("torch", "torchvision", "numpy")


def facts_of_features(features: Features, propose: Propose) -> dict[str, Any]:
    """Checksum of the ResNet's weights, where a file is named; raises ValueError without it."""
    return {"model_sha256": sha256_of(Path(features.weights))} if features.weights else {}


def opened_inputs(
    features: Features, propose: Propose, *, folder: Path, device: torch.device, cache: Path | None
) -> "PixelInputs":
    """Inputs for a ResNet; nothing is kept in `cache`."""
    return PixelInputs(folder, device, features)


@dataclass(frozen=True, slots=True)
class PixelScale:
    """How images are scaled: the short side to `short` px, but the long one to `long` at most."""

    short: int
    long: int

    def factor(self, size: tuple[float, float]) -> float:
        """Pixels of the scaled image per pixel of one of (height, width) px."""
        return min(self.short / min(size), self.long / max(size))


def scaled(image: np.ndarray, scale: PixelScale) -> Tensor:
    """(height, width, 3) uint8 to (3, h, w) float32 of 0 to 255, scaled."""
    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).float()
    factor = scale.factor((pixels.shape[1], pixels.shape[2]))
    size = [max(1, round(side * factor)) for side in pixels.shape[1:]]
    return F.interpolate(pixels[None], size=size, mode="bilinear", antialias=True)[0]


class PixelInputs(Inputs):
    """Resized, normalised pixels for a ResNet."""

    def __init__(self, folder: Path, device: torch.device, features: Features):
        super().__init__(folder, device)
        self.scale = PixelScale(features.short_side, features.long_side)

    def factor(self, size: tuple[float, float]) -> float:
        """Short side to `short_side`, but the long one to `long_side` at most."""
        return self.scale.factor(size)

    def read(self, image: Mapping[str, Any], *, flip: bool) -> Tensor:
        """(3, h, w) normalised pixels."""
        small = scaled(self.pixels(image), self.scale)
        return normalised(small.flip(2) if flip else small)

    def batch(self, images: Sequence[Tensor], keys: Sequence[Key]) -> Tensor:
        """(b, 3, h, w)."""
        return batched_pixels(list(images)).to(self.device)

    def maps(self, features: Features) -> tuple[nn.Module, tuple[float, ...]]:
        """A ResNet with FPN, from its weight file or from scratch."""
        weights = Path(features.weights) if features.weights else None
        net = ResNetFpn(features.source, features.channels, weights, features.weights_sha256)
        return net, ResNetFpn.strides
