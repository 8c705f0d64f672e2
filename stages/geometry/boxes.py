"""Boxes: xyxy, absolute pixels, half-open; numpy arrays of shape (n, 4). Pure functions."""

import numpy as np


def box_area(boxes: np.ndarray) -> np.ndarray:
    """Areas of (..., 4) xyxy boxes, px^2; 0 for a box that is turned inside out."""
    sides = np.maximum(boxes[..., 2:] - boxes[..., :2], 0)
    return np.asarray(sides[..., 0] * sides[..., 1])


def box_iou(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """IoU of each pair: (n, 4) and (m, 4) to (n, m), 0 to 1; 0 where both areas are 0."""
    upper = np.minimum(first[:, None, 2:], second[None, :, 2:])
    lower = np.maximum(first[:, None, :2], second[None, :, :2])
    inner = np.prod(np.clip(upper - lower, 0, None), axis=-1)
    union = box_area(first)[:, None] + box_area(second)[None, :] - inner
    iou = np.zeros_like(inner, dtype=float)
    return np.asarray(np.divide(inner, union, out=iou, where=union > 0))


def box_cover(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Share of each first box that each second one covers: (n, 4) and (m, 4) to (n, m), 0 to 1.

    0 for a first box without area.
    """
    upper = np.minimum(first[:, None, 2:], second[None, :, 2:])
    lower = np.maximum(first[:, None, :2], second[None, :, :2])
    inner = np.prod(np.clip(upper - lower, 0, None), axis=-1)
    area = np.broadcast_to(box_area(first)[:, None], inner.shape)
    return np.asarray(np.divide(inner, area, out=np.zeros_like(inner, dtype=float), where=area > 0))


def xywh_to_xyxy(boxes: np.ndarray) -> np.ndarray:
    """COCO [x, y, w, h] to [x0, y0, x1, y1], (..., 4)."""
    return np.concatenate([boxes[..., :2], boxes[..., :2] + boxes[..., 2:]], axis=-1)


def xyxy_to_xywh(boxes: np.ndarray) -> np.ndarray:
    """[x0, y0, x1, y1] to COCO [x, y, w, h], (..., 4)."""
    return np.concatenate([boxes[..., :2], boxes[..., 2:] - boxes[..., :2]], axis=-1)


def clip_boxes(boxes: np.ndarray, height: int, width: int) -> np.ndarray:
    """Boxes cut at the image border, (..., 4)."""
    limit = np.array([width, height, width, height], dtype=boxes.dtype)
    return np.asarray(np.clip(boxes, 0, limit))


def scale_boxes(boxes: np.ndarray, factor: float) -> np.ndarray:
    """Boxes made `factor` times as wide and high about their centres, (..., 4)."""
    centre = (boxes[..., :2] + boxes[..., 2:]) / 2
    half = (boxes[..., 2:] - boxes[..., :2]) / 2 * factor
    return np.concatenate([centre - half, centre + half], axis=-1)


def mirrored_boxes(boxes: np.ndarray, width: int) -> np.ndarray:
    """Boxes in the image with left and right exchanged, (..., 4)."""
    left, right = width - boxes[..., 2], width - boxes[..., 0]
    return np.stack([left, boxes[..., 1], right, boxes[..., 3]], axis=-1)


def touched_pixels(box: np.ndarray, height: int, width: int) -> tuple[slice, slice]:
    """Rows and columns of the pixels that a box, (4,) xyxy px, touches: one at least of each.

    A box beyond the image, or without an area, is moved to the pixel that is closest.
    """
    x0, y0 = np.clip(np.floor(box[:2]), 0, (width - 1, height - 1)).astype(int)
    x1, y1 = np.clip(np.ceil(box[2:]), (x0 + 1, y0 + 1), (width, height)).astype(int)
    return slice(int(y0), int(y1)), slice(int(x0), int(x1))
