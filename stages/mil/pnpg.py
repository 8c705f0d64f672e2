"""PNPG: more positive proposals around the selected box, and negatives in background and parts.

SAPNet, Sec. 3.3, Eq. 4 and Algorithm 1. Eq. 4 has two readings. As printed, every object's box is
scaled by 1 + v / S_dis and by 1 - v / S_dis, so that a crowded object's boxes spread further. In
the authors' code a clean box is only enlarged, without S_dis, and a crowded one is offered smaller
too. The paper gives no v; the numbers of the authors' code are the defaults of the config. Random
numbers come in as arguments.
"""

import torch
from torch import Tensor

from stages.geometry.box_tensors import paired_iou, tensor_area

OVERHANG = 0.2  # background boxes may leave the image by this share of its sides (authors' code)
PART_SIDES = (0.3, 1.0)  # range of the sides of random part boxes, in sides of box_psm
LEAST_SCALE = 0.05  # of Eq. 4, where v / S_dis would turn a box inside out


def both_ways(dis: Tensor, *, step: float, count: int) -> Tensor:
    """Scales of the extra boxes as Eq. 4 prints them: 1 + v / S_dis and 1 - v / S_dis.

    Parameters
    ----------
    dis : (n,) S_dis of box_psm in (0, 1], with its exponent.
    step, count : v is step, 2 step, ... count step; the paper does not say.

    Returns
    -------
    (n, 2 count) scale factors, the enlargements first; at least LEAST_SCALE.
    """
    spread = step * torch.arange(1, count + 1).to(dis) / dis[:, None]  # (n, count)
    return torch.cat([1 + spread, 1 - spread], dim=1).clamp(min=LEAST_SCALE)


def one_way(
    raw: Tensor,
    *,
    expand_step: float,
    expand_count: int,
    fine_step: float,
    fine_first: int,
    fine_count: int,
    shrink_step: float,
) -> Tensor:
    """Scales of the authors' code: enlargements, then finer ones or, where S_raw < 1, shrinks.

    Parameters
    ----------
    raw : (n,) S_raw of box_psm without the exponent d; 1 where no neighbour's point is enclosed.

    Returns
    -------
    (n, expand_count + fine_count) scale factors.
    """
    expand = 1 + expand_step * torch.arange(1, expand_count + 1).to(raw)
    steps = torch.arange(fine_count).to(raw)
    fine = 1 + fine_step * (fine_first + steps)
    shrink = 1 - shrink_step * (steps + 1) / raw[:, None]
    last = torch.where(raw[:, None] >= 1, fine[None].expand_as(shrink), shrink)
    return torch.cat([expand[None].expand(len(raw), -1), last], dim=1)


def scaled_boxes(boxes: Tensor, scales: Tensor) -> Tensor:
    """Boxes scaled about their centres, (n, 4) and (n, s) to (n, s, 4); Eq. 4."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2  # (n, 2)
    half = (boxes[:, 2:] - boxes[:, :2]) / 2
    reach = half[:, None] * scales[..., None]  # (n, s, 2)
    return torch.cat([centre[:, None] - reach, centre[:, None] + reach], dim=-1)


def clamped(boxes: Tensor, size: tuple[float, float] | None) -> Tensor:
    """Boxes cut at the image of (height, width) px, or at 0 alone (authors' code) for None."""
    if size is None:
        return boxes.clamp(min=0)
    limit = boxes.new_tensor([size[1], size[0], size[1], size[0]])
    return torch.minimum(boxes.clamp(min=0), limit)


def background_boxes(uniforms: Tensor, size: tuple[float, float]) -> Tensor:
    """NPG's random boxes, which may leave the image.

    Parameters
    ----------
    uniforms : (4, r) in [0, 1). size : (height, width) px of the network input.

    Returns
    -------
    (r, 4) xyxy px; possibly without area.
    """
    height, width = size
    right, bottom = (1 + OVERHANG) * width, (1 + OVERHANG) * height
    x0 = -OVERHANG * width + right * uniforms[0]
    y0 = -OVERHANG * height + bottom * uniforms[1]
    x1 = x0 + uniforms[2] * (right - x0)
    y1 = y0 + uniforms[3] * (bottom - y0)
    return torch.stack([x0, y0, x1, y1], dim=1)


def is_background(boxes: Tensor, positives: Tensor, *, t_neg1: float) -> Tensor:
    """Which boxes have an IoU below `t_neg1` with every positive: (r, 4), (p, 4) to (r,) bool.

    The paper's words turn the comparison round; its Algorithm 1 and the code are as here.
    """
    if not len(boxes) or not len(positives):
        return torch.ones(len(boxes), dtype=torch.bool, device=boxes.device)
    return (paired_iou(boxes[:, None], positives) < t_neg1).all(dim=1)


def centre_parts(box_psm: Tensor, *, min_area: float) -> Tensor:
    """A centred box of half the sides for each box of more than `min_area` px^2 (authors' code)."""
    large = tensor_area(box_psm) > min_area
    half = box_psm.new_full((int(large.sum()), 1), 0.5)
    return scaled_boxes(box_psm[large], half)[:, 0]


def random_parts(
    box_psm: Tensor,
    uniforms: Tensor,
    bags: Tensor,
    *,
    min_area: float,
    t_neg1: float,
    t_neg2: float,
) -> Tensor:
    """Random boxes inside box_psm that are neither the object nor close to another one.

    Parameters
    ----------
    box_psm : (n, 4) xyxy px. uniforms : (n, r, 4) in [0, 1).
    bags : (n, m, 4) proposals; a part with IoU >= t_neg1 to another object's bag is dropped.

    Returns
    -------
    (p, 4) xyxy px. Sides are drawn up to those of box_psm, so that it is t_neg2 that says what is
    small. The paper says "random small boxes" with IoU below it; the rest is ours.
    """
    sides = box_psm[:, 2:] - box_psm[:, :2]
    low, high = PART_SIDES
    parts = sides[:, None] * (low + (high - low) * uniforms[..., :2])  # (n, r, 2)
    corner = box_psm[:, None, :2] + (sides[:, None] - parts) * uniforms[..., 2:]
    boxes = torch.cat([corner, corner + parts], dim=-1)  # (n, r, 4)
    large = tensor_area(box_psm) > min_area
    small = paired_iou(boxes, box_psm[:, None]) < t_neg2
    return boxes[large[:, None] & small & _far_from_others(boxes, bags, t_neg1=t_neg1)]


def _far_from_others(boxes: Tensor, bags: Tensor, *, t_neg1: float) -> Tensor:
    """Which of each object's r boxes are background to all other bags: (n, r) bool."""
    iou = paired_iou(boxes.reshape(-1, 1, 4), bags.reshape(-1, 4))
    close = (iou >= t_neg1).view(*boxes.shape[:2], *bags.shape[:2]).any(dim=-1)  # (n, r, n)
    others = ~torch.eye(len(bags), dtype=torch.bool, device=boxes.device)
    far: Tensor = ~(close & others[:, None]).any(dim=-1)
    return far
