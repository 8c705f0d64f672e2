"""PSM, the proposal selection module: two-branch multiple-instance learning over bags.

SAPNet, Sec. 3.2, Eq. 1 and 3. A bag holds the m proposals of one object, padded to the longest bag
of the batch; `valid` says which are real.
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def class_scores(cls: Tensor) -> Tensor:
    """S_cls: softmax over classes, (n, m, k) logits to (n, m, k) in [0, 1]."""
    return cls.softmax(dim=-1)


def instance_scores(ins: Tensor, valid: Tensor) -> Tensor:
    """S_ins: softmax over the proposals of a bag, for each class by itself.

    Parameters
    ----------
    ins : (n, m, k) logits. valid : (n, m) bool.

    Returns
    -------
    (n, m, k) in [0, 1]; 0 for proposals that are not valid, all 0 for a bag without any.
    """
    masked = ins.masked_fill(~valid[..., None], float("-inf"))
    return masked.softmax(dim=1).nan_to_num(0.0)


def proposal_scores(
    cls: Tensor, ins: Tensor, valid: Tensor, *, guidance: Tensor | None = None
) -> Tensor:
    """S = S_cls x S_ins (x S_dis), Eq. 3.

    Parameters
    ----------
    cls, ins : (n, m, k) logits. valid : (n, m) bool. guidance : (n, m) S_dis in (0, 1], or None.

    Returns
    -------
    (n, m, k) in [0, 1].
    """
    scores = class_scores(cls) * instance_scores(ins, valid)
    return scores if guidance is None else scores * guidance[..., None]


def bag_scores(scores: Tensor) -> Tensor:
    """Sum over the proposals of a bag: (n, m, k) to (n, k) in [0, 1]."""
    return scores.sum(dim=1)


def of_label(scores: Tensor, labels: Tensor) -> Tensor:
    """The column of each object's own class: (n, m, k) and (n,) to (n, m)."""
    index = labels[:, None, None].expand(-1, scores.shape[1], 1)
    return scores.gather(2, index).squeeze(2)


def psm_loss(bags: Tensor, labels: Tensor, usable: Tensor) -> Tensor:
    """L_psm before its weight: BCE of bag scores, summed over classes, averaged over objects.

    Parameters
    ----------
    bags : (n, k) bag scores. labels : (n,) int classes.
    usable : (n,) bool; bags without a valid proposal are left out.

    Returns
    -------
    Scalar; 0 without a usable bag. Logarithms are cut at -100, as in the authors' code.
    """
    if not usable.any():
        return bags.sum() * 0.0
    bags, labels = bags[usable], labels[usable]
    target = F.one_hot(labels, bags.shape[1]).to(bags.dtype)
    return F.binary_cross_entropy(bags.clamp(0, 1), target, reduction="sum") / len(labels)


def psm_selection(scores: Tensor, labels: Tensor) -> Tensor:
    """Index of the best proposal of each bag for its class: (n, m, k) to (n,); ties: the first."""
    return torch.argmax(of_label(scores, labels), dim=1)
