"""A mask that is as wide and as high as its box: the projection loss, and the dice it is made of.

BoxInst (Tian et al., CVPR 2021), Eq. 2 and 3, on which SIM (CVPR 2023) rests: the largest
probability of each column, and of each row, is held against that of the box.
"""

import torch
from torch import Tensor

EPSILON = 1e-5  # BoxInst, public code; two empty maps are then as unlike as can be


def dice_losses(first: Tensor, second: Tensor) -> Tensor:
    """How unlike the maps of each pair are, by squared dice.

    Parameters
    ----------
    first, second : (n, ...) of 0 to 1, of one shape.

    Returns
    -------
    (n,): 1 - 2 sum(ab) / (sum(a^2) + sum(b^2) + 1e-5), 0 to 1.

    Raises
    ------
    ValueError : shapes differ.

    Source: V-Net (Milletari et al., 2016), as CondInst (ECCV 2020) and BoxInst take it.
    """
    if first.shape != second.shape:
        raise ValueError(f"maps {tuple(first.shape)} and {tuple(second.shape)} differ.")
    one, other = first.flatten(1), second.flatten(1)
    shared = (one * other).sum(1)
    whole = one.square().sum(1) + other.square().sum(1)
    return 1 - 2 * shared / (whole + EPSILON)


def projection_loss(chances: Tensor, boxes: Tensor) -> Tensor:
    """How little the extent of masks is that of their boxes.

    Parameters
    ----------
    chances : (n, h, w) mask probabilities of each positive. boxes : (n, h, w) of 0 and 1.

    Returns
    -------
    Scalar of 0 to 2, the mean over the positives of what x and y say; 0 for no positive.

    Source: BoxInst, Eq. 2 and 3.
    """
    if not len(chances):
        return chances.sum()
    lines = [dice_losses(chances.amax(axis), boxes.amax(axis)) for axis in (1, 2)]
    return torch.stack(lines).sum(0).mean()
