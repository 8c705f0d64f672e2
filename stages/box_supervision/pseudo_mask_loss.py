"""What a teacher loses on the pseudo masks of the round before.

SIM (Li et al., CVPR 2023), Eq. 8: binary cross-entropy and dice, both where the weight W is 1.
SIM's public code has a focal term alone, which is given probabilities in the place of logits; we
follow the paper.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from stages.box_supervision.projection import dice_losses


def pseudo_mask_parts(logits: Tensor, wanted: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropy and dice of each positive.

    Parameters
    ----------
    logits : (n, h, w). wanted : (n, h, w) of 0 and 1, the pseudo masks.
    weights : (n, h, w), W: 0 for pixels that count nothing.

    Returns
    -------
    (n,) weighted mean of the cross-entropy, (n,) dice of the weighted maps; both 0 for a positive
    whose weights are all 0.

    Source: SIM, Eq. 8.
    """
    seen = weights.sum((1, 2))
    entropy = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    means = (entropy * weights).sum((1, 2)) / seen.clamp(min=1e-6)
    dice = dice_losses(logits.sigmoid() * weights, wanted * weights)
    return means, torch.where(seen > 0, dice, 0.0)


def pseudo_mask_loss(logits: Tensor, wanted: Tensor, weights: Tensor) -> Tensor:
    """Mean over the positives of both parts; arguments as of `pseudo_mask_parts`.

    Returns
    -------
    Scalar; 0 for no positive. The paper's factor, lambda 1 = 0.5, is not in it.

    Source: SIM, Eq. 8.
    """
    if not len(logits):
        return logits.sum()
    entropy, dice = pseudo_mask_parts(logits, wanted, weights)
    return (entropy + dice).mean()
