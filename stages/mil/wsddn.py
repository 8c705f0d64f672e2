"""WSDDN: two-branch scores of the proposals of an image, and the loss of its tags. Pure.

Bilen and Vedaldi, Weakly Supervised Deep Detection Networks (CVPR 2016), Sec. 3.3 and 3.4, as the
heads of OICR and MIST have it. A bag is an image. The softmax over proposals runs over each image
by itself: the code that OICR comes from runs it over all RoIs of a batch, which is the same for
one image alone.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

REDUCTIONS = ("sum", "mean")
LEAST = 1e-8  # of the clamp with `mean`: MIST's code; in float32, 1 - LEAST is 1


def class_shares(cls: Tensor) -> Tensor:
    """Softmax over classes: (r, c) logits to (r, c) in [0, 1]."""
    return cls.softmax(dim=-1)


def proposal_shares(ins: Tensor, counts: Sequence[int]) -> Tensor:
    """Softmax over the proposals of each image, for each class by itself.

    Parameters
    ----------
    ins : (r, c) logits of the images of a batch, one after the other. counts : (b,) proposals of
        each image, r in all; an image may have none.

    Returns
    -------
    (r, c) in [0, 1]; sums to 1 over each image and class.
    """
    return torch.cat([part.softmax(dim=0) for part in torch.split(ins, list(counts))])


def image_scores(scores: Tensor, counts: Sequence[int]) -> Tensor:
    """phi: sums over the proposals of each image, (r, c) to (b, c) in [0, 1]; 0 without any."""
    return torch.stack([part.sum(dim=0) for part in torch.split(scores, list(counts))])


def mil_loss(phi: Tensor, tags: Tensor, *, reduction: str) -> Tensor:
    """Binary cross-entropy of each image's scores against its tags, (b, c) and (b, c) to (b,).

    Parameters
    ----------
    phi : of `image_scores`. tags : 0 or 1.
    reduction : over classes. sum: scores cut to [0, 1], logarithms at -100 (OICR's code); mean:
        scores cut to [1e-8, 1 - 1e-8] (MIST's code).

    Raises
    ------
    ValueError : another `reduction`.
    """
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction is {reduction!r}, not sum or mean.")
    least = LEAST if reduction == "mean" else 0.0
    cut = phi.clamp(least, 1 - least)
    losses = F.binary_cross_entropy(cut, tags.to(phi.dtype), reduction="none")
    return losses.sum(dim=1) if reduction == "sum" else losses.mean(dim=1)
