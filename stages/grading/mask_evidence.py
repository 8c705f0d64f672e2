"""What a mask says of itself: its form, its own point, the box that is known. Pure."""

import cv2
import numpy as np

from stages.geometry.boxes import box_iou
from stages.grading.crowding import is_inside

MASK_EVIDENCE = {  # name: what it means where it speaks against a label
    "pieces": "it falls into pieces",
    "extent": "it fills its box in an unusual way",
    "size": "its size is unusual",
    "border": "the border of the image cuts it",
    "inside": "its own point is outside",
    "depth": "its own point is at an unusual depth",
    "given_fit": "it fits the given box badly",
    "refined_fit": "it fits the box that was refined badly",
}


def mask_evidence(
    mask: np.ndarray, box: np.ndarray, points: np.ndarray | None, *, is_given: bool
) -> np.ndarray:
    """What a mask says of itself.

    Parameters
    ----------
    mask : (height, width) uint8, 0 or 1, not empty.
    box : (4,) xyxy px that is known of the object; is_given: by a person.
    points : (n, 2) xy px that a person gave on the object, or None.

    Returns
    -------
    (e,) float64, as MASK_EVIDENCE.
    """
    x0, y0, width, height = cv2.boundingRect(mask)
    crop = np.ascontiguousarray(mask[y0 : y0 + height, x0 : x0 + width])
    area = float(crop.sum())
    hull = np.array([[x0, y0, x0 + width, y0 + height]], dtype=float)
    fit = float(box_iou(hull, box[None].astype(float))[0, 0])
    found = {
        "pieces": _largest(crop) / area,
        "extent": area / (width * height),
        "size": np.sqrt(area / mask.size),
        "border": _at_border(hull[0], mask.shape),
        "inside": np.nan if points is None else float(is_inside(mask, points).mean()),
        "depth": np.nan if points is None else _depth(crop, points[0] - hull[0, :2]),
        "given_fit": fit if is_given else np.nan,
        "refined_fit": np.nan if is_given else fit,
    }
    return np.array([found[name] for name in MASK_EVIDENCE])


def _largest(crop: np.ndarray) -> float:
    """Px of the largest connected part."""
    _, _, parts, _ = cv2.connectedComponentsWithStats(crop, connectivity=8)
    return float(parts[1:, cv2.CC_STAT_AREA].max())


def _at_border(hull: np.ndarray, shape: tuple[int, ...]) -> float:
    height, width = shape
    return float(bool((hull[:2] <= 0).any() or hull[2] >= width or hull[3] >= height))


def _depth(crop: np.ndarray, point: np.ndarray) -> float:
    """Distance of a point from the mask's border, as a share of the greatest; 0 outside."""
    height, width = crop.shape
    x, y = int(np.floor(point[0])), int(np.floor(point[1]))
    if not (0 <= x < width and 0 <= y < height):
        return 0.0
    away = cv2.distanceTransform(np.pad(crop, 1), cv2.DIST_L2, 3)[1:-1, 1:-1]
    return float(away[y, x] / away.max())
