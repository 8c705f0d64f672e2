"""PRM, the proposal refinement module: losses of the second stage, its scores, the way to a mask.

SAPNet, Sec. 3.4. The class score is a sigmoid in the loss (so that negatives can be
all-zero targets) and a softmax in the selection, as in the authors' code; the paper names neither.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from stages.geometry.box_tensors import paired_iou
from stages.mil.psm import instance_scores

EPSILON = 1e-6  # inside both logarithms (authors' code)
GAMMA = 2  # exponent of the focal factor, Eq. 5


def focal(p: Tensor, q: Tensor) -> Tensor:
    """FL(p, q) = sum over classes of (p - q)^2 BCE(p, q), without alpha balance, Eq. 5.

    Parameters
    ----------
    p, q : (..., k) in [0, 1], scores and targets.

    Returns
    -------
    (...) at least 0.
    """
    cross = -q * torch.log(p + EPSILON) - (1 - q) * torch.log(1 - p + EPSILON)
    return ((p - q).abs() ** GAMMA * cross).sum(dim=-1)


def positive_bags(cls: Tensor, ins: Tensor, valid: Tensor) -> Tensor:
    """Bag scores of the enlarged bags with sigmoid class scores: (n, m, k) logits to (n, k)."""
    return (cls.sigmoid() * instance_scores(ins, valid)).sum(dim=1)


def positive_loss(bags: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """L_pos: focal loss of each bag times the PSM bag score of its object, averaged (Eq. 5).

    Parameters
    ----------
    bags : (n, k) from `positive_bags`. labels : (n,) classes.
    weights : (n,) detached PSM bag scores of the labelled class; 0 leaves an object out.
    """
    target = F.one_hot(labels, bags.shape[1]).to(bags.dtype)
    return (weights * focal(bags, target)).sum() / max(len(labels), 1)


def negative_loss(
    cls: Tensor, keep: Tensor, *, beta: Tensor | float, objects: int, norm: str
) -> Tensor:
    """L_neg: focal loss of the negatives against all-zero targets (Sec. 3.4).

    Parameters
    ----------
    cls : (u, k) class logits. keep : (u,) bool or 0/1 float.
    beta : mean PSM bag score of the batch.
    norm : "kept": divided by the negatives kept (paper); "objects": by the objects of the batch
        (authors' code, which gives the negatives far more weight).

    Raises
    ------
    ValueError : another `norm`.
    """
    if norm not in ("kept", "objects"):
        raise ValueError(f"norm is {norm!r}, not kept or objects.")
    kept = keep.to(cls.dtype)
    p = cls.sigmoid()
    losses = focal(p, torch.zeros_like(p)) * kept
    count = kept.sum() if norm == "kept" else torch.tensor(float(objects), device=cls.device)
    return beta * losses.sum() / count.clamp(min=1)


def prm_scores(cls: Tensor, ins: Tensor, valid: Tensor, *, mode: str) -> Tensor:
    """Selection scores of the enlarged bags: class score x S_ins.

    Parameters
    ----------
    mode : "softmax" (authors' code) or "sigmoid" class score.

    Returns
    -------
    (n, m, k) in [0, 1].

    Raises
    ------
    ValueError : another `mode`.
    """
    if mode not in ("softmax", "sigmoid"):
        raise ValueError(f"mode is {mode!r}, not softmax or sigmoid.")
    classes = cls.softmax(dim=-1) if mode == "softmax" else cls.sigmoid()
    return classes * instance_scores(ins, valid)


def closest_proposal(boxes: Tensor, bags: Tensor, valid: Tensor) -> Tensor:
    """Index of the original proposal with the highest box IoU to each box (Sec. 3.4, mask_prm).

    Parameters
    ----------
    boxes : (n, 4). bags : (n, m, 4). valid : (n, m) bool.

    Returns
    -------
    (n,) int; ties: the first; 0 for a bag without a valid proposal.
    """
    ious = paired_iou(boxes[:, None], bags)  # (n, m)
    return ious.masked_fill(~valid, -1.0).argmax(dim=1)


def runners_up(ranking: list[int], chosen: int, count: int, *, mode: str = "paper") -> list[int]:
    """MPS: the highest, the middle and the lowest of a bag's other masks (Sec. 7).

    Parameters
    ----------
    ranking : proposals by falling PRM score. chosen : the one to leave out.
    count : how many of (highest, middle, lowest) to give, 0 to 3.
    mode : "paper", or "code": ranks 1, 3 and 5 whatever was chosen, which may repeat it.

    Raises
    ------
    ValueError : another `mode`.
    """
    if mode not in ("paper", "code"):
        raise ValueError(f"mode is {mode!r}, not paper or code.")
    if mode == "code":
        return ranking[1:6:2][:count]
    others = [number for number in ranking if number != chosen]
    if not others:
        return []
    places = dict.fromkeys([0, len(others) // 2, len(others) - 1])
    return [others[place] for place in places][:count]
