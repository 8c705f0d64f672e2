"""A weight file of torchvision's VGG-16, with little in fc6 and fc7, so that it is 60 MB long."""

from pathlib import Path

import torch
import torchvision
from torch import Tensor


def vgg_state() -> dict[str, Tensor]:
    """Weights by torchvision's names, all different from 0; fc6 and fc7 have equal rows."""
    with torch.device("meta"):
        shapes = {k: v.shape for k, v in torchvision.models.vgg16().state_dict().items()}
    rng = torch.Generator().manual_seed(0)
    return {name: _values(name, shape, rng) for name, shape in shapes.items()}


def _values(name: str, shape: torch.Size, rng: torch.Generator) -> Tensor:
    if name.startswith("features."):
        return torch.randn(shape, generator=rng) * (2 / shape[1:].numel()) ** 0.5
    return (torch.randn(shape[-1], generator=rng) / 100).expand(shape)  # one row is stored


def write_vgg(path: Path, **changed: Tensor) -> Path:
    """The file, with other weights for some names, whose dots are underscores here."""
    more = {name.replace("_", "."): value for name, value in changed.items()}
    torch.save({**vgg_state(), **more}, path)
    return path
