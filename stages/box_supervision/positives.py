"""Several locations answer for one object: which do, and how their masks become one.

SIM (Li et al., CVPR 2023), Sec. 3.3, Eq. 6: a location counts the more, the better the box that it
predicts fits. Which locations are an object's is FCOS's rule (Tian et al., ICCV 2019): near its
centre, at the level of its size, the smallest box first. SIM's public code takes the plain mean of
the masks, which is mu = 0.
"""

import torch
from torch import Tensor

RADIUS = 1.5  # strides about the centre of a box: FCOS with centre sampling
LOWEST, HIGHEST = 4.0, 8.0  # strides; between them lies the longest way to a side of the box
NOBODY = -1


def assigned(centres: Tensor, strides: Tensor, boxes: Tensor) -> Tensor:
    """The object that each location answers for.

    Parameters
    ----------
    centres : (k, 2) x, y px of the locations. strides : (k,) px, of the level of each, rising.
    boxes : (g, 4) xyxy px; those beside the image get no location.

    Returns
    -------
    (k,) int64, place of the box, the smallest where several claim a location, or -1.

    Source: FCOS, Sec. 3.2, with centre sampling; as torchvision's.
    """
    if not len(boxes) or not len(centres):
        return torch.full((len(centres),), NOBODY, device=centres.device)
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    near = (centres[:, None] - middles).abs().amax(2) < RADIUS * strides[:, None]
    ways = torch.cat([centres[:, None] - boxes[:, :2], boxes[:, 2:] - centres[:, None]], dim=2)
    longest = ways.amax(2)
    low = torch.where(strides == strides[0], 0, LOWEST * strides)[:, None]
    high = torch.where(strides == strides[-1], torch.inf, HIGHEST * strides)[:, None]
    claimed = near & (ways.amin(2) > 0) & (longest > low) & (longest < high)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    smallest = torch.where(claimed, areas, torch.inf).argmin(1)
    return torch.where(claimed.any(1), smallest, NOBODY)


def best_positives(owners: Tensor, scores: Tensor, objects: int, *, most: int) -> Tensor:
    """The positives that the mask losses look at: of each object the surest ones.

    Parameters
    ----------
    owners : (p,) place of the object of each positive. scores : (p,), how sure each is.
    objects : of the image. most : positives of an image, at most.

    Returns
    -------
    Rising places among the p; of each object max(most // objects, 1) at most.

    Source: CondInst, public code.
    """
    each = max(most // max(objects, 1), 1)
    order = torch.argsort(scores, descending=True, stable=True)
    kept = [order[owners[order] == number][:each] for number in range(objects)]
    return torch.cat([order[:0], *kept]).sort().values


def positive_weights(ious: Tensor, owners: Tensor, objects: int, *, mu: float) -> Tensor:
    """How much each positive counts for its object.

    Parameters
    ----------
    ious : (p,) of the predicted box and the object's. owners : (p,) place of the object of each.
    objects : number of objects. mu : sharpness; paper 5, 0 gives the mean.

    Returns
    -------
    (p,) exp(mu * IoU), of 0 to 1, that sum to 1 over the positives of each object.

    Source: SIM, Eq. 6.
    """
    lowest = ious.new_full((objects,), -torch.inf)
    best = lowest.scatter_reduce(0, owners, ious, "amax")  # so that a large mu stays finite
    raw = (mu * (ious - best[owners])).exp()
    sums = torch.zeros(objects, dtype=raw.dtype, device=raw.device).index_add(0, owners, raw)
    return raw / sums[owners]


def joined_masks(chances: Tensor, weights: Tensor, owners: Tensor, objects: int) -> Tensor:
    """M_I: one map of probabilities for each object.

    Parameters
    ----------
    chances : (p, h, w) of the positives. weights : (p,) of `positive_weights`.
    owners : (p,) place of the object of each. objects : number of objects.

    Returns
    -------
    (objects, h, w); 0 everywhere for an object without a positive.

    Source: SIM, Eq. 6.
    """
    empty = chances.new_zeros((objects, *chances.shape[1:]))
    return empty.index_add(0, owners, chances * weights[:, None, None])
