"""Masks and their COCO run-length codes: the fast exact path of pycocotools.

An RLE is {"size": [height, width], "counts": bytes}. Boxes and areas come from the code, not from
the pixels, which is hundreds of times faster and gives the same numbers. hotcoco encodes where it
is installed: the same bytes as pycocotools, so no result depends on which of the two it was, and
provenance need not name it.
"""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from pycocotools import mask as coco_mask

try:
    from hotcoco.mask import encode
except ImportError:
    encode = coco_mask.encode

Rle = dict[str, Any]
AREA_CHUNK = 255  # pycocotools 2.0.11 overflows on 256 or more areas with numpy 2.4


def masks_to_rles(masks: np.ndarray) -> list[Rle]:
    """Encode (n, height, width) masks of bool, or of uint8 in {0, 1}.

    Codes run down the columns. numpy turns a mask slowly and encoders slower, OpenCV in cache-sized
    blocks; one mask at a time also stays in the cache.
    """
    pixels = masks.view(np.uint8) if masks.dtype == bool else masks.astype(np.uint8, copy=False)
    return [encode(cv2.transpose(mask).T) for mask in pixels]


def rles_to_masks(rles: Sequence[Rle]) -> np.ndarray:
    """Decode to (n, height, width) uint8 in {0, 1}; n must be at least 1."""
    return np.ascontiguousarray(coco_mask.decode(list(rles)).transpose(2, 0, 1))


def rle_of(counts: bytes, height: int, width: int) -> Rle:
    """The RLE with these counts."""
    return {"size": [height, width], "counts": counts}


def rle_areas(rles: Sequence[Rle]) -> np.ndarray:
    """Areas, (n,) int64 px^2."""
    starts = range(0, len(rles), AREA_CHUNK)
    areas = [coco_mask.area(list(rles[s : s + AREA_CHUNK])) for s in starts]
    return np.concatenate(areas).astype(np.int64) if areas else np.zeros(0, dtype=np.int64)


def rle_boxes(rles: Sequence[Rle]) -> np.ndarray:
    """Bounding boxes, (n, 4) float32 xyxy px, half-open; all zero for an empty mask."""
    if not rles:
        return np.zeros((0, 4), dtype=np.float32)
    boxes = np.asarray(coco_mask.toBbox(list(rles)), dtype=np.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    return boxes


def rle_iou(first: Sequence[Rle], second: Sequence[Rle]) -> np.ndarray:
    """IoU of each pair of masks, (n, m) float64 in [0, 1]; all masks of one size."""
    if not first or not second:
        return np.zeros((len(first), len(second)))
    crowd = [0] * len(second)
    return np.asarray(coco_mask.iou(list(first), list(second), crowd)).reshape(len(first), -1)


def rle_cover(first: Sequence[Rle], second: Sequence[Rle]) -> np.ndarray:
    """Share of each first mask that each second one covers, (n, m) float64 in [0, 1].

    0 for an empty first mask. COCO's IoU with a crowd divides by the area of the first mask.
    """
    if not first or not second:
        return np.zeros((len(first), len(second)))
    crowd = [1] * len(second)
    shares = np.asarray(coco_mask.iou(list(first), list(second), crowd)).reshape(len(first), -1)
    return np.asarray(np.nan_to_num(shares))


def segmentation_to_rle(segmentation: Any, height: int, width: int) -> Rle:
    """COCO polygons, uncompressed RLE or compressed RLE (string or bytes counts) to an RLE.

    Raises
    ------
    ValueError : neither of these, or of another size than the image.
    """
    if isinstance(segmentation, list) and segmentation:
        if not all(isinstance(p, list) and len(p) >= 6 and len(p) % 2 == 0 for p in segmentation):
            raise ValueError("a polygon needs at least three points as a flat list of x, y.")
        return coco_mask.merge(coco_mask.frPyObjects(segmentation, height, width))  # type: ignore[no-any-return]
    if not isinstance(segmentation, dict) or "counts" not in segmentation:
        raise ValueError("segmentation is neither a list of polygons nor an RLE.")
    if list(segmentation.get("size", [])) != [height, width]:
        raise ValueError(f"RLE of size {segmentation.get('size')}, image of {[height, width]}.")
    counts = segmentation["counts"]
    if isinstance(counts, list):
        return coco_mask.frPyObjects(segmentation, height, width)  # type: ignore[no-any-return]
    data = counts.encode("ascii") if isinstance(counts, str) else bytes(counts)
    return rle_of(data, height, width)
