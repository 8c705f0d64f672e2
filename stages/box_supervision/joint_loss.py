"""The loss of boxes and salient masks together, and how much of its box a head fills.

BoxCaseg (CVPR 2021), Eq. 3 and 4: L = L_mil + L_smooth + L_pixel, all weights 1 but that of the
smooth term, which the printed equation has lost and the public code sets to 0.05. The weak head
learns from every item, a salient one included, whose mask gives the same lines as its tight box;
the mixed heads learn from salient items alone.
"""

from torch import Tensor
from torch.nn import functional as F

from stages.box_supervision.line_bags import line_bag_loss
from stages.box_supervision.smoothing import smooth_term

SMOOTH_WEIGHT = 0.05  # public code


def weak_parts(
    weak: Tensor, labels: Tensor, *, weight: float = SMOOTH_WEIGHT, border: str = "zero_pad"
) -> dict[str, Tensor]:
    """What the weak head is trained by: `mil`, and `smooth` with its weight.

    Parameters
    ----------
    weak : (n, h, w) logits. labels : (n, h, w) of 0 and 1, boxes and salient masks.
    weight, border : of the smooth term.
    """
    return {
        "mil": line_bag_loss(weak, labels),
        "smooth": weight * smooth_term(weak, border=border),
    }


def pixel_loss(logits: Tensor, labels: Tensor, salient: Tensor) -> Tensor:
    """Mean binary cross-entropy of the pixels of salient items.

    Parameters
    ----------
    logits : (n, h, w) of the mixed heads. labels : (n, h, w) of 0 and 1.
    salient : (n,) bool, the items that have masks.

    Returns
    -------
    Scalar; without a salient item 0, on the graph all the same, so that no process of a team waits.
    """
    if not bool(salient.any()):
        return logits.sum() * 0
    wanted = labels[salient].to(logits.dtype)
    return F.binary_cross_entropy_with_logits(logits[salient], wanted)


def foreground_share(logits: Tensor, labels: Tensor) -> float:
    """Share of the labelled pixels with a logit above 0: near 1 the box is filled, near 0 lost.

    Parameters
    ----------
    logits : (n, h, w). labels : (n, h, w) of 0 and 1, boxes.

    Returns
    -------
    0 to 1; 0 where no pixel is labelled.
    """
    inside = labels > 0
    count = int(inside.sum())
    return float(((logits > 0) & inside).sum()) / count if count else 0.0
