"""Neighbouring pixels should be of one mind: the smooth term beside the line bags.

BoxCaseg (CVPR 2021), Eq. 2. The public code takes the differences by a convolution with zero
padding, so that a pixel at the border is compared with 0 as well, which pushes it down; `interior`
compares pairs alone of which both lie in the crop.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

NEIGHBOURS = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0)]


def smooth_term(logits: Tensor, *, border: str = "zero_pad") -> Tensor:
    """Mean squared difference of a pixel's probability and those of its eight neighbours.

    Parameters
    ----------
    logits : (n, h, w). border : zero_pad, the authors': beyond the crop all probabilities are 0;
        interior: pairs with one pixel beyond it are left out of the mean.

    Returns
    -------
    Scalar of 0 to 1, without the weight of the joint loss; 0 where there is no pair.

    Raises
    ------
    ValueError : another border.

    Source: BoxCaseg, Eq. 2 (`PairwiseLoss` of the public code).
    """
    if border not in ("zero_pad", "interior"):
        raise ValueError(f"border is {border}; choose zero_pad or interior.")
    if not logits.numel():
        return logits.sum()
    chances = logits.sigmoid()
    padded = F.pad(chances, (1, 1, 1, 1)) if border == "zero_pad" else None
    parts = [_mean(_pairs(chances, padded, dy, dx)) for dy, dx in NEIGHBOURS]
    return torch.stack(parts).mean()


def _pairs(chances: Tensor, padded: Tensor | None, dy: int, dx: int) -> Tensor:
    """Differences of pixels and their neighbours at an offset."""
    height, width = chances.shape[1:]
    if padded is not None:
        return chances - padded[:, 1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]
    here = chances[:, _inside(-dy, height), _inside(-dx, width)]
    return here - chances[:, _inside(dy, height), _inside(dx, width)]


def _inside(step: int, length: int) -> slice:
    """Places of a line from which one step back lies in it too."""
    return slice(max(step, 0), length + min(step, 0))


def _mean(differences: Tensor) -> Tensor:
    return differences.square().sum() / max(differences.numel(), 1)
