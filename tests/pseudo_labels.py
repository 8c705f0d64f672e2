"""Pseudo-labels made of plain masks, and the golden ones of tests/golden/boxes.json."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stages.geometry.boxes import xywh_to_xyxy
from stages.geometry.masks import masks_to_rles, rle_boxes, rles_to_masks
from stages.labels.pseudo_label import PseudoLabel

GOLDEN = json.loads((Path(__file__).parent / "golden" / "boxes.json").read_text())


def pseudo_label(
    number: int, mask: np.ndarray, given: Sequence[float] | None = None, **more: Any
) -> PseudoLabel:
    """One of image 1, with the hull of its mask as refined box, and a given box, xyxy px."""
    rle = masks_to_rles(mask[None])[0]
    hull = rle_boxes([rle])[0]
    facts = {"mask_weight": float(mask.any()), "score": 0.5, "stand_in": hull, "refined": hull}
    box = None if given is None else np.array(given, dtype=np.float32)
    return PseudoLabel(1, number, rle, given=box, **{**facts, **more})


def rectangle_mask(size: tuple[int, int], *boxes: Sequence[int]) -> np.ndarray:
    """(height, width) bool, filled in half-open xyxy boxes."""
    mask = np.zeros(size, dtype=bool)
    for x0, y0, x1, y1 in boxes:
        mask[y0:y1, x0:x1] = True
    return mask


def masks_of(labels: Sequence[PseudoLabel]) -> np.ndarray:
    """(n, height, width) bool."""
    return rles_to_masks([label.rle for label in labels]).astype(bool)


def golden_labels() -> list[PseudoLabel]:
    """The nine instances of `merge_smaller_object_better`."""
    case = GOLDEN["merge_smaller_object_better"]
    labels = []
    for item in case["instances"]:
        mask = rectangle_mask(tuple(case["image_hw"]), *item["proxy_mask_rects_xyxy_exclusive"])
        box = xywh_to_xyxy(np.array(item["bbox_xywh"], dtype=np.float64))
        labels.append(pseudo_label(item["index"], mask, given=box))
    return labels
