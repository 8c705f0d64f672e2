"""MIST: several seeds of a class far from each other, and boxes that are learned with them. Pure.

Ren et al., Instance-Aware, Context-Focused, and Memory-Efficient Weakly Supervised Object Detection
(CVPR 2020), Algorithm 1 and Sec. 4.1, with what the code of wetectron has beyond it: the first
seed stays whatever it overlaps, and fewer than ten proposals give one seed. Boxes are xyxy px,
half-open, or inclusive with `plus_one`.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from stages.geometry.box_tensors import half_open
from stages.mil.oicr import Seeds, best_first, seed_iou, seeds_of, tagged

SHARE = 0.15  # p, of an image's proposals that may be seeds of a class
APART = 0.2  # IoU under which two seeds of a class are two objects
FEW = 10  # proposals below which a class has one seed (wetectron's code)
SCALES = (10.0, 10.0, 5.0, 5.0)  # of the four offsets (Faster R-CNN)
LARGEST = math.log(1000 / 16)  # of a side's growth, before its exponential (Faster R-CNN)


def candidates(count: int, share: float) -> int:
    """How many of an image's proposals may be seeds of a class: int(p R), and 1 if R < 10."""
    return 1 if count < FEW else max(int(share * count), 1)


def mist_seeds(
    scores: Tensor,
    tags: Tensor,
    boxes: Tensor,
    *,
    share: float = SHARE,
    iou: float = APART,
    plus_one: bool = False,
) -> Seeds:
    """Of each class's best proposals those that overlap no better one, kept or not, and the first.

    Parameters
    ----------
    scores : (r, c), detached. tags : (c,) 0 or 1. boxes : (r, 4). share, iou : p and tau.
    """
    pairs = []
    for c in tagged(scores, tags):
        best = best_first(scores[:, c])[: candidates(len(scores), share)]
        overlap = seed_iou(boxes[best], boxes[best], plus_one=plus_one)  # (k, k)
        apart = (overlap.tril(-1) < iou).all(dim=1)  # below the diagonal: with better ones
        pairs.append((best[apart], c))
    return seeds_of(pairs, scores)


def offsets(boxes: Tensor, targets: Tensor, *, plus_one: bool = False) -> Tensor:
    """What moves boxes to targets: (r, 4) and (r, 4) to (r, 4), as Faster R-CNN has it, scaled.

    Shifts of the centre in sides of the box, and logarithms of the sides' growth.
    """
    if plus_one:
        boxes, targets = half_open(boxes), half_open(targets)
    centre, side = _centres(boxes)
    wanted, size = _centres(targets)
    moves = torch.cat([(wanted - centre) / side, torch.log(size / side)], dim=-1)
    return moves * moves.new_tensor(SCALES)


def moved(boxes: Tensor, moves: Tensor) -> Tensor:
    """Boxes moved by what `offsets` gives, (..., 4) and (..., 4) to (..., 4)."""
    moves = moves / moves.new_tensor(SCALES)
    centre, side = _centres(boxes)
    centre = centre + moves[..., :2] * side
    half = side * moves[..., 2:].clamp(max=LARGEST).exp() / 2
    return torch.cat([centre - half, centre + half], dim=-1)


def _centres(boxes: Tensor) -> tuple[Tensor, Tensor]:
    side = boxes[..., 2:] - boxes[..., :2]
    return boxes[..., :2] + side / 2, side


def of_class(moves: Tensor, labels: Tensor) -> Tensor:
    """The four numbers of each proposal's own class: (r, 4 (c + 1)) and (r,) to (r, 4)."""
    index = labels[:, None, None].expand(-1, 1, 4)
    return moves.view(len(moves), moves.shape[1] // 4, 4).gather(1, index)[:, 0]


def box_loss(moves: Tensor, labels: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """Smooth-L1 loss (beta 1) of the foreground's offsets times weight, over the number of all.

    Parameters
    ----------
    moves : (r, 4 (c + 1)), four for each class, the background first. labels, weights : (r,).
    targets : (r, 4), of `offsets`; those of the background count for nothing.
    """
    losses = F.smooth_l1_loss(of_class(moves, labels), targets, reduction="none").sum(dim=1)
    return (weights * losses * (labels > 0)).sum() / max(len(labels), 1)
