"""PDG, point distance guidance: a proposal that encloses another object's point is penalised.

SAPNet, Sec. 3.2, Eq. 2. The printed formula lacks a "1 +"; the text says "sigmoid of the
reciprocal", which the authors' code computes and we too. "Overlap" is read as: the proposal's box
strictly contains the other object's point (introduction of the paper, and the code). The other
reading (IoU > 0 with any proposal of the neighbour, Sec. 3.2) is here too; it tends to give all
proposals of a bag the same penalty.
The points are the annotated ones; the authors' code takes centres of ground-truth boxes, a leak.
"""

import torch
from torch import Tensor

OBJECTS_AT_ONCE = 64  # whose boxes are compared with all bags of an image: bounds the memory


def points_inside(boxes: Tensor, points: Tensor) -> Tensor:
    """Whether each box strictly contains each point: (n, m, 4) and (p, 2) to (n, m, p) bool."""
    x, y = points[:, 0], points[:, 1]  # (p,)
    inside = (boxes[..., 0, None] < x) & (x < boxes[..., 2, None])
    return inside & (boxes[..., 1, None] < y) & (y < boxes[..., 3, None])


def bags_touched(boxes: Tensor, bags: Tensor, valid: Tensor) -> Tensor:
    """Whether each box has IoU > 0 with any valid box of each bag.

    Parameters
    ----------
    boxes : (n, m, 4). bags : (p, q, 4) xyxy px. valid : (p, q) bool.

    Returns
    -------
    (n, m, p) bool.
    """
    usable = valid & _has_area(bags)
    parts = [_touched(part, bags, usable) for part in torch.split(boxes, OBJECTS_AT_ONCE)]
    return torch.cat(parts) & _has_area(boxes)[..., None]


def _touched(boxes: Tensor, bags: Tensor, usable: Tensor) -> Tensor:
    """As `bags_touched`, for boxes with an area: comparisons alone, a byte for each pair."""
    x0, y0, x1, y1 = (side[:, :, None, None] for side in boxes.unbind(-1))  # (n, m, 1, 1)
    left, top, right, bottom = bags.unbind(-1)  # (p, q)
    across = (x0 < right) & (left < x1)  # (n, m, p, q)
    return (across & (y0 < bottom) & (top < y1) & usable).any(dim=-1)


def _has_area(boxes: Tensor) -> Tensor:
    return (boxes[..., 2:] > boxes[..., :2]).all(dim=-1)


def neighbour_distance(hits: Tensor, points: Tensor, labels: Tensor, *, root: bool) -> Tensor:
    """W: the summed distance from each object's point to those of the same class that a box hits.

    Parameters
    ----------
    hits : (n, m, n) bool: whether box m of object i overlaps object j, t of Eq. 2.
    points : (n, 2) x, y px. labels : (n,) int classes.
    root : take the square root of each distance, as the authors' code does.

    Returns
    -------
    (n, m) float, at least 0; 0 where nothing is hit. A coinciding point adds nothing.
    """
    mates = labels[:, None] == labels[None, :]
    mates &= ~torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    distance = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist")
    distance = distance.sqrt() if root else distance
    return torch.einsum("imj,ij->im", hits.to(points.dtype), distance * mates)


def raw_guidance(summed: Tensor, *, min_distance: float) -> Tensor:
    """S_raw = sigmoid(1 / W), and exactly 1 where W = 0.

    Parameters
    ----------
    summed : W, any shape, at least 0.
    min_distance : px; a positive W below it counts as this much, since the penalty would otherwise
        vanish again for nearly coinciding points. The paper has none (0).

    Returns
    -------
    Same shape, in (0.5, 1].
    """
    bounded = summed.clamp(min=max(min_distance, 1e-12))
    return torch.where(summed > 0, torch.sigmoid(1 / bounded), torch.ones_like(summed))


def guidance(
    boxes: Tensor,
    points: Tensor,
    labels: Tensor,
    *,
    distance: str,
    min_distance: float,
    bags: tuple[Tensor, Tensor] | None = None,
) -> Tensor:
    """S_raw of every box; S_dis of Eq. 2 is S_raw ** d.

    Parameters
    ----------
    boxes : (n, m, 4) xyxy px, m boxes for each of n objects of one image.
    points : (n, 2) x, y px. labels : (n,) int classes.
    distance : "euclid" (paper) or "sqrt" (authors' code). min_distance : see `raw_guidance`.
    bags : boxes (n, q, 4) and valid (n, q) of each object's bag, for the reading "IoU > 0 with any
        proposal of the neighbour"; None: the box contains the neighbour's point.

    Returns
    -------
    (n, m) float in (0.5, 1]; no gradient.

    Raises
    ------
    ValueError : another `distance`.
    """
    if distance not in ("euclid", "sqrt"):
        raise ValueError(f"distance is {distance!r}, not euclid or sqrt.")
    hits = points_inside(boxes, points) if bags is None else bags_touched(boxes, *bags)
    summed = neighbour_distance(hits, points, labels, root=distance == "sqrt")
    return raw_guidance(summed, min_distance=min_distance).detach()
