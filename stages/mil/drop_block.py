"""Concrete DropBlock: an adversary hides blocks of a proposal's features. Pure.

Ren et al. (MIST, CVPR 2020), Sec. 4.2: a small network says where features of a proposal are
hidden, its choice is relaxed by the concrete distribution, and it learns to make the loss larger,
so that a class is not told by its most striking part alone. The paper leaves open what keeps the
adversary from hiding everything (its code has a gamma of 3 without a word): here the centres of
blocks are as rare as DropBlock's of the same rate (Ghiasi et al. 2018), at most.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

EPSILON = 1e-6


def centre_odds(logits: Tensor, *, rate: float, block: int) -> Tensor:
    """Probability of each cell to be a block's centre: (r, s, s) logits to (r, s, s).

    The mean over the cells of a proposal is at most rate / block^2, so that about `rate` of them
    are hidden.
    """
    odds = logits.sigmoid()
    limit = rate / block**2
    return odds * (limit / odds.mean(dim=(1, 2), keepdim=True)).clamp(max=1.0)


def concrete(odds: Tensor, noise: Tensor, *, temperature: float) -> Tensor:
    """Relaxed draws of 0 or 1 with these odds (gumbel-sigmoid), any shape, in (0, 1).

    Parameters
    ----------
    noise : uniform in (0, 1), of the same shape.
    """
    return torch.sigmoid((_logit(odds) + _logit(noise)) / temperature)


def _logit(odds: Tensor) -> Tensor:
    cut = odds.clamp(EPSILON, 1 - EPSILON)
    return cut.log() - (1 - cut).log()


def kept_cells(centres: Tensor, *, block: int) -> Tensor:
    """1 where a cell is kept, 0 where a block hides it: (r, s, s) to (r, s, s).

    Hard in value, soft in its gradient (straight through).

    Parameters
    ----------
    centres : of `concrete`. block : odd side of a block, cells.
    """
    hidden = F.max_pool2d(centres[:, None], block, stride=1, padding=block // 2)[:, 0]
    hard = (hidden > 0.5).to(hidden.dtype)
    return 1 - (hard - hidden.detach() + hidden)


def hidden_blocks(cells: Tensor, keep: Tensor) -> Tensor:
    """Features without what is hidden, (r, c, s, s), of unchanged mean size (DropBlock, Alg. 1).

    Parameters
    ----------
    cells : (r, c, s, s). keep : (r, s, s), of `kept_cells`.
    """
    share = keep.detach().mean(dim=(1, 2), keepdim=True).clamp(min=EPSILON)
    return cells * (keep / share)[:, None]


class _Turned(torch.autograd.Function):
    """The identity, whose gradient is turned round."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        return values.view_as(values)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return -gradient


def adversarial(values: Tensor) -> Tensor:
    """The same values; what made them learns to make the loss larger instead of smaller."""
    turned: Tensor = _Turned.apply(values)
    return turned
