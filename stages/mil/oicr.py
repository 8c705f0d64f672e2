"""OICR: seeds among the proposals of an image, what they make of all others, and the loss. Pure.

Tang et al., Multiple Instance Detection Network with Online Instance Classifier Refinement (CVPR
2017), Sec. 3.3, Algorithm 1, in the two readings of the public code: the best proposal of each
class (wetectron), and all that come close to it (the fork of WSOD2 that WeakSAM uses). Classes are
counted without the background in scores, tags and seeds; in labels 0 is the background and c + 1
is class c.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.ops import nms

from stages.geometry.box_tensors import half_open, paired_iou

SHARE = 0.9  # of a class's best score: a seed too (WSOD2's code)
SEED_NMS = 0.5  # IoU between seeds, whatever their classes (WSOD2's code)
FOREGROUND = 0.5  # IoU with a seed


class Seeds(NamedTuple):
    """Proposals that stand for objects: rows, classes (both int64) and scores, (s,) each."""

    rows: Tensor
    classes: Tensor
    scores: Tensor


class Assignment(NamedTuple):
    """What each proposal is to be, (r,) each.

    labels : int64, 0 for the background, c + 1 for class c. weights : score of the closest seed,
    for the background too; 0 without a seed. seeds : int64 number of that seed; 0 without any.
    """

    labels: Tensor
    weights: Tensor
    seeds: Tensor


def best_first(scores: Tensor) -> Tensor:
    """Order of falling scores, (r,) to (r,); of equal ones the first comes first."""
    return scores.argsort(descending=True, stable=True)


def seeds_of(pairs: list[tuple[Tensor, int]], scores: Tensor) -> Seeds:
    """Seeds from the rows, (k,) int64 each, that were found for each class.

    Parameters
    ----------
    scores : (r, c) from which the seeds' own are taken.
    """
    none = torch.zeros(0, dtype=torch.long, device=scores.device)
    rows = torch.cat([none, *(found for found, _ in pairs)])
    classes = torch.cat([none, *(torch.full_like(found, c) for found, c in pairs)])
    return Seeds(rows, classes, scores[rows, classes])


def tagged(scores: Tensor, tags: Tensor) -> list[int]:
    """Classes of an image, (c,) 0 or 1, in order; none where it has no proposal."""
    return [int(c) for c in torch.nonzero(tags)[:, 0]] if len(scores) else []


def top1_seeds(scores: Tensor, tags: Tensor) -> Seeds:
    """The best proposal of each class in the tags; none serves two classes.

    The classes take their turns in order, and a proposal that was taken has score 0 for those to
    come (wetectron's code).

    Parameters
    ----------
    scores : (r, c), detached. tags : (c,) 0 or 1.
    """
    left, pairs = scores.clone(), []
    values = torch.zeros_like(scores)
    for c in tagged(scores, tags):
        row = best_first(left[:, c])[:1]
        values[row, c] = left[row, c]
        left[row] = 0
        pairs.append((row, c))
    return seeds_of(pairs, values)


def multi_seeds(
    scores: Tensor, tags: Tensor, boxes: Tensor, *, share: float = SHARE, iou: float = SEED_NMS
) -> Seeds:
    """All proposals with `share` of their class's best score, thinned over all classes at once.

    The thinning may take a class's only seed where a better one of another class overlaps it
    (WSOD2's code; not repaired here).

    Parameters
    ----------
    scores : (r, c), detached. tags : (c,) 0 or 1. boxes : (r, 4) xyxy px, half-open.

    Returns
    -------
    Seeds by falling score.
    """
    pairs = []
    for c in tagged(scores, tags):
        column = scores[:, c]
        pairs.append((torch.nonzero(column >= share * column.max())[:, 0], c))
    found = seeds_of(pairs, scores)
    kept = nms(boxes[found.rows].float(), found.scores.float(), iou)
    return Seeds(*(part[kept] for part in found))


def assigned(
    boxes: Tensor,
    seeds: Seeds,
    *,
    iou: float = FOREGROUND,
    strict: bool = False,
    plus_one: bool = False,
) -> Assignment:
    """Labels and weights of all proposals: each follows the seed that it overlaps most.

    Parameters
    ----------
    boxes : (r, 4) xyxy px, half-open, or inclusive with `plus_one`.
    iou : with the seed from which a proposal is foreground. strict: only above it.

    Returns
    -------
    Labels and weights are all 0 without a seed, so that nothing is learned from them.
    """
    count = len(boxes)
    zeros = torch.zeros(count, dtype=torch.long, device=boxes.device)
    if not len(seeds.rows):
        return Assignment(zeros, seeds.scores.new_zeros(count), zeros)
    overlap = seed_iou(boxes, boxes[seeds.rows], plus_one=plus_one)  # (r, s)
    best = overlap.max(dim=1, keepdim=True).values
    closest = (overlap == best).int().argmax(dim=1)  # (r,); the first of equals
    near = (best > iou if strict else best >= iou)[:, 0]
    labels = torch.where(near, seeds.classes[closest] + 1, zeros)
    return Assignment(labels, seeds.scores[closest], closest)


def seed_iou(boxes: Tensor, others: Tensor, *, plus_one: bool) -> Tensor:
    """IoU of every pair, (r, 4) and (s, 4) to (r, s)."""
    if plus_one:
        boxes, others = half_open(boxes), half_open(others)
    return paired_iou(boxes[:, None], others[None])


def refine_loss(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Mean over all proposals of weight times cross-entropy (OICR, Eq. 4); 0 without a proposal.

    Parameters
    ----------
    logits : (r, c + 1), the background first. labels, weights : (r,), of `assigned`.
    """
    losses = F.cross_entropy(logits, labels, reduction="none")
    return (weights * losses).sum() / max(len(labels), 1)
