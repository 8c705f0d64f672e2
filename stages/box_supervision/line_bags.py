"""Each row and each column of a crop is a bag of pixels: the MIL loss of a tight box.

BoxCaseg (CVPR 2021), Eq. 1, as its code has it: a line that crosses the box holds at least one
pixel of the object, any other line holds none. The text before it (BBTP) sums over positive and
negative bags apart; the code takes one mean over the bags of both kinds, and so do we.
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def line_bags(values: Tensor) -> Tensor:
    """The largest value of each line.

    Parameters
    ----------
    values : (n, h, w), any type with an order; h and w at least 1.

    Returns
    -------
    (n, w + h): the columns from left to right, then the rows from top to bottom. A gradient goes to
    one pixel of each line, so that one surely is of the object.
    """
    return torch.cat([values.max(dim=1).values, values.max(dim=2).values], dim=1)


def line_bag_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean binary cross-entropy of all lines of all crops.

    Parameters
    ----------
    logits : (n, h, w). labels : (n, h, w) of 0 and 1: the box, or a mask, whose lines are those of
        its tight box.

    Returns
    -------
    Scalar; 0 for no crop.

    Raises
    ------
    ValueError : shapes differ.

    Source: BoxCaseg, Eq. 1 (`mil_loss` of the public code).
    """
    if logits.shape != labels.shape:
        raise ValueError(f"logits {tuple(logits.shape)} and labels {tuple(labels.shape)} differ.")
    if not len(logits):
        return logits.sum()
    wanted = line_bags(labels).to(logits.dtype)
    return F.binary_cross_entropy_with_logits(line_bags(logits), wanted)
