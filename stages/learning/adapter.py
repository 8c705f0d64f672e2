"""What is learned on top of a frozen map: one convolution, and the norm that every map has."""

import torch.nn.functional as F
from torch import Tensor, nn

GROUPS = 32  # of GroupNorm in the FPN, authors' code
GROUP_NUMBERS = (GROUPS, 16, 8, 4, 2, 1)


def group_norm(channels: int) -> nn.GroupNorm:
    """GroupNorm with 32 groups, or fewer, so that each has at least two channels.

    One channel of one image can be down to a single pixel, which torch refuses to normalise.
    """
    groups = next(g for g in GROUP_NUMBERS if channels % g == 0 and channels > g)
    return nn.GroupNorm(groups, channels)


class Adapter(nn.Module):
    """1x1 convolution, GroupNorm and ReLU on a frozen map: (b, c, h, w) to (b, d, h, w)."""

    def __init__(self, channels_in: int, channels: int):
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels, 1, bias=False)
        self.norm = group_norm(channels)

    def forward(self, embedding: Tensor) -> list[Tensor]:
        """One level."""
        return [F.relu(self.norm(self.conv(embedding)))]
