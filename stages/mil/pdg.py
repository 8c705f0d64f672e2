"""PDG, point distance guidance: a proposal that encloses another object's point is penalised.

SAPNet, Sec. 3.2, Eq. 2. The printed formula lacks a "1 +"; the text says "sigmoid of the
reciprocal", which the authors' code computes and we too. "Overlap" is read as: the proposal's box
strictly contains the other object's point (introduction of the paper, and the code); the other
reading (IoU > 0 with any proposal of the neighbour) gives all proposals of a bag the same penalty.
The points are the annotated ones; the authors' code takes centres of ground-truth boxes, a leak.
"""

import torch
from torch import Tensor


def enclosed_distance(boxes: Tensor, points: Tensor, labels: Tensor, *, root: bool) -> Tensor:
    """W: the summed distance from each object's point to the same-class points that a box encloses.

    Parameters
    ----------
    boxes : (n, m, 4) xyxy px, m boxes for each of n objects of one image.
    points : (n, 2) x, y px. labels : (n,) int classes.
    root : take the square root of each distance, as the authors' code does.

    Returns
    -------
    (n, m) float, at least 0; 0 where nothing is enclosed. A coinciding point adds nothing.
    """
    x, y = points[:, 0], points[:, 1]  # (n,)
    inside = (boxes[..., 0, None] < x) & (x < boxes[..., 2, None])  # (n, m, n)
    inside &= (boxes[..., 1, None] < y) & (y < boxes[..., 3, None])
    mates = labels[:, None] == labels[None, :]
    mates &= ~torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    distance = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist")
    distance = distance.sqrt() if root else distance
    return torch.einsum("imj,ij->im", inside.to(boxes.dtype), distance * mates)


def raw_guidance(enclosed: Tensor, *, min_distance: float) -> Tensor:
    """S_raw = sigmoid(1 / W), and exactly 1 where W = 0.

    Parameters
    ----------
    enclosed : W, any shape, at least 0.
    min_distance : px; a positive W below it counts as this much, since the penalty would otherwise
        vanish again for nearly coinciding points. The paper has none (0).

    Returns
    -------
    Same shape, in (0.5, 1].
    """
    clean = enclosed <= 0
    bounded = enclosed.clamp(min=max(min_distance, 1e-12))
    return torch.where(clean, torch.ones_like(enclosed), torch.sigmoid(1 / bounded))


def guidance(
    boxes: Tensor, points: Tensor, labels: Tensor, *, distance: str, min_distance: float
) -> Tensor:
    """S_raw of every box; S_dis of Eq. 2 is S_raw ** d.

    Parameters
    ----------
    distance : "euclid" (paper) or "sqrt" (authors' code); the rest as in `enclosed_distance`.

    Returns
    -------
    (n, m) float in (0.5, 1]; no gradient.

    Raises
    ------
    ValueError : another `distance`.
    """
    if distance not in ("euclid", "sqrt"):
        raise ValueError(f"distance is {distance!r}, not euclid or sqrt.")
    enclosed = enclosed_distance(boxes, points, labels, root=distance == "sqrt")
    return raw_guidance(enclosed, min_distance=min_distance).detach()
