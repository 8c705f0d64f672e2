"""MPS, multi-mask proposals supervision: the mask loss looks at runner-up masks beside mask_prm.

SAPNet, Sec. 7, Eq. 11. The mean over the runners-up is explicit in the authors' code alone (theirs
is 0.5 x sum / 6 for three, the same number). Which masks they are: `stages.mil.prm.runners_up`.
"""

from torch import Tensor

EPSILON = 1e-3  # added to each sum of squares (authors' code)
GAMMA = 0.25  # weight of the runners-up, Eq. 11


def dice_loss(prob: Tensor, target: Tensor) -> Tensor:
    """1 - 2 sum(p g) / (sum p^2 + sum g^2) of each mask.

    Parameters
    ----------
    prob, target : (n, ...) in [0, 1], probabilities (after the sigmoid) and masks.

    Returns
    -------
    (n,) in [0, 1]; 1 for two empty masks. Not weighted: the authors' code multiplies by 3.
    """
    p, g = prob.flatten(1), target.flatten(1)  # (n, cells)
    squares = (p * p).sum(dim=1) + EPSILON + (g * g).sum(dim=1) + EPSILON
    return 1 - 2 * (p * g).sum(dim=1) / squares


def mask_loss(dice_prm: Tensor, dice_others: Tensor, *, gamma: float = GAMMA) -> Tensor:
    """L_mask: Dice of mask_prm and, with weight gamma, the mean Dice of the runners-up (Eq. 11).

    Parameters
    ----------
    dice_prm : (...) loss against mask_prm. dice_others : (..., r) against r runners-up.

    Returns
    -------
    (...); `dice_prm` alone where there are no runners-up (r = 0).
    """
    if not dice_others.shape[-1]:
        return dice_prm
    return dice_prm + gamma * dice_others.mean(dim=-1)
