"""Areas, IoU and mirror images of boxes as tensors, on any device: xyxy, px. Pure functions.

The twins of `box_area`, `box_iou` and `mirrored_boxes` in `boxes`; apart from them, since they need
torch.
"""

import torch
from torch import Tensor


def tensor_area(boxes: Tensor) -> Tensor:
    """Areas of (..., 4) boxes, px^2; 0 for a box that is turned inside out."""
    sides = (boxes[..., 2:] - boxes[..., :2]).clamp(min=0)
    return sides[..., 0] * sides[..., 1]


def paired_iou(first: Tensor, second: Tensor) -> Tensor:
    """IoU of each pair, (..., 4) and (..., 4) to (...); 0 for two boxes without area.

    For every pair of (n, 4) and (m, 4), give `first[:, None]`.
    """
    low = torch.maximum(first[..., :2], second[..., :2])
    high = torch.minimum(first[..., 2:], second[..., 2:])
    inner = (high - low).clamp(min=0).prod(dim=-1)
    union = tensor_area(first) + tensor_area(second) - inner
    return torch.where(union > 0, inner / union.clamp(min=1e-12), torch.zeros_like(inner))


def mirrored_tensor(boxes: Tensor, width: float) -> Tensor:
    """Boxes in the image with left and right exchanged, (..., 4)."""
    x0, y0, x1, y1 = boxes.unbind(-1)
    return torch.stack([width - x1, y0, width - x0, y1], dim=-1)


def half_open(boxes: Tensor) -> Tensor:
    """Boxes whose last pixel is inside them, as half-open ones: (..., 4), one more right and below.

    An IoU "with + 1" (width = x1 - x0 + 1, as Caffe and wetectron have it) of inclusive boxes is
    the plain IoU of these. Boxes of this house are half-open already and must not get it twice.
    """
    return boxes + boxes.new_tensor([0.0, 0.0, 1.0, 1.0])
