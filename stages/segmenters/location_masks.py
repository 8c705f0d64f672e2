"""A mask that one location makes: a small network of 1x1 convolutions, its weights found there.

CondInst (Tian et al., ECCV 2020), Sec. 3, as SIM (CVPR 2023) takes it: mask features of the whole
image, and beside them the way from each cell to the location, go through three layers whose weights
the location's controller has made. With 16 features and 8 channels these are 233 numbers.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

REACH = 8  # strides of a location's level: the unit of the way to it, CondInst's 64 px at stride 8
LAYERS = 3  # of the head that a location makes
FINER = 2  # cells of a mask per cell of the features


class MaskBranch(nn.Module):
    """The finest three levels, or what there is of them, to mask features of `dim` channels."""

    def __init__(self, channels: int, *, width: int, convs: int, dim: int, levels: int):
        super().__init__()
        self.refine = nn.ModuleList(_convolved(channels, width) for _ in range(levels))
        self.tower = nn.Sequential(*(_convolved(width, width) for _ in range(convs)))
        self.last = nn.Conv2d(width, dim, 1)

    def forward(self, levels: list[Tensor]) -> Tensor:
        """(n, channels, h, w) of each level, finest first, to (n, dim, h, w) of the finest."""
        parts = [refine(level) for refine, level in zip(self.refine, levels, strict=False)]
        size = parts[0].shape[-2:]
        joined = parts[0]
        for part in parts[1:]:
            joined = joined + F.interpolate(part, size, mode="bilinear")
        found: Tensor = self.last(self.tower(joined))
        return found


def _convolved(wide: int, width: int) -> nn.Sequential:
    conv = nn.Conv2d(wide, width, 3, padding=1, bias=False)
    return nn.Sequential(conv, nn.GroupNorm(width // 4, width), nn.ReLU())


def numbers_of(dim: int, hidden: int) -> list[int]:
    """How many weights, then how many biases, each of the three layers has.

    Parameters
    ----------
    dim : channels of the mask features. hidden : channels of the layers between.
    """
    return [hidden * (dim + 2), hidden * hidden, hidden, hidden, hidden, 1]


def location_masks(
    features: Tensor, controls: Tensor, centres: Tensor, strides: Tensor, *, hidden: int, cell: int
) -> Tensor:
    """Mask logits of locations of one image.

    Parameters
    ----------
    features : (dim, h, w) of the image. controls : (p, sum of `numbers_of`) of each location.
    centres : (p, 2) x, y px of the locations. strides : (p,) px of their levels.
    hidden : channels of the layers between. cell : px of the network's input per cell.

    Returns
    -------
    (p, 2 h, 2 w).

    Source: CondInst, Eq. 2 and Sec. 3.1; enlarged twofold as in BoxInst.
    """
    count, (dim, height, width) = len(controls), features.shape
    ways = _ways(centres, strides, height, width, cell)
    x = torch.cat([features.expand(count, -1, -1, -1), ways], dim=1).flatten(2)  # (p, dim + 2, hw)
    parts = torch.split(controls, numbers_of(dim, hidden), dim=1)
    for layer, (weights, bias) in enumerate(zip(parts[:LAYERS], parts[LAYERS:], strict=True)):
        x = torch.baddbmm(bias[:, :, None], weights.reshape(count, bias.shape[1], x.shape[1]), x)
        x = x if layer == LAYERS - 1 else F.relu(x)
    small = x.reshape(count, 1, height, width)
    return F.interpolate(small, scale_factor=FINER, mode="bilinear")[:, 0]


def _ways(centres: Tensor, strides: Tensor, height: int, width: int, cell: int) -> Tensor:
    """(p, 2, h, w): the way from the middle of each cell to a location, in x and in y."""
    across = (torch.arange(width, device=centres.device) + 0.5) * cell
    down = (torch.arange(height, device=centres.device) + 0.5) * cell
    unit = (REACH * strides)[:, None]
    x, y = (centres[:, :1] - across) / unit, (centres[:, 1:] - down) / unit
    return torch.stack(
        [x[:, None].expand(-1, height, -1), y[:, :, None].expand(-1, -1, width)], dim=1
    )
