"""Weights of a convolution made from those of another: how the weak head teaches a second one.

BoxCaseg (CVPR 2021), Sec. 3.3, as its code has it: a small network turns each output channel's
weights of the weak head into those of the transferred head. The weak ones are detached, so the
masks of salient objects train the small network, never the weak head. Once trained, the transferred
weights are constants (`stages.segmenters.crop_network` folds them into a plain convolution).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

STARTING_DEVIATION = 0.01  # of the small network's first weights and biases (public code)


class WeightTransfer(nn.Module):
    """Turns the weights and biases of a convolution into those of another of the same shape.

    Parameters
    ----------
    length : weights per output channel: input channels times the kernel's area.
    hidden : times `length`, the width of the small network. leaky : slope of its LeakyReLU below 0.
    """

    def __init__(self, length: int, *, hidden: int = 4, leaky: float = 0.1):
        super().__init__()
        self.first = nn.Linear(length, hidden * length)
        self.second = nn.Linear(hidden * length, length)
        self.scale = nn.Parameter(torch.ones(()))
        self.shift = nn.Parameter(torch.zeros(()))
        self.leaky = leaky
        for layer in (self.first, self.second):
            nn.init.normal_(layer.weight, std=STARTING_DEVIATION)
            nn.init.normal_(layer.bias, std=STARTING_DEVIATION)

    def forward(self, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """The transferred weights and biases; no gradient reaches the given ones.

        Parameters
        ----------
        weight : (channels_out, channels_in, k, k), channels_in * k * k of them `length`.
        bias : (channels_out,).

        Source: BoxCaseg, Sec. 3.3 (`Transfer` of the public code).
        """
        rows = weight.detach().flatten(1)  # (channels_out, length)
        made = self.second(F.leaky_relu(self.first(rows), self.leaky))
        return made.view_as(weight), self.scale * bias.detach() + self.shift
