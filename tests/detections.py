"""Ground truth of squares, and detections that miss it by a little: COCO dictionaries."""

from typing import Any

import numpy as np

from stages.geometry.boxes import xyxy_to_xywh
from stages.geometry.masks import masks_to_rles, rle_areas, rle_boxes, rles_to_masks

SIDE = 96  # px of an image


def squares(*, images: int, objects: int, seed: int) -> dict[str, Any]:
    """Objects of three classes (a fourth has none), some of them overlapping."""
    rng = np.random.default_rng(seed)
    annotations = []
    for number in range(images * objects):
        x, y = rng.integers(0, SIDE - 12, 2)
        width, height = rng.integers(8, 60, 2)
        mask = np.zeros((1, SIDE, SIDE), dtype=np.uint8)
        mask[0, y : y + height, x : x + width] = 1
        entry = {"image_id": number % images + 1, "category_id": int(rng.integers(1, 4))}
        annotations.append({"id": number + 1, **entry, "iscrowd": 0, **shape_of(mask)})
    return {
        "images": [{"id": k + 1, "height": SIDE, "width": SIDE} for k in range(images)],
        "categories": [{"id": k, "name": f"class {k}"} for k in range(1, 5)],
        "annotations": annotations,
    }


def shape_of(masks: np.ndarray) -> dict[str, Any]:
    """bbox, area and segmentation of a (1, h, w) mask."""
    (rle,) = masks_to_rles(masks)
    box = xyxy_to_xywh(rle_boxes([rle]))[0].astype(float).tolist()
    return {"bbox": box, "area": int(rle_areas([rle])[0]), "segmentation": rle}


def perturbed(truth: dict[str, Any], *, seed: int) -> list[dict[str, Any]]:
    """COCO results: objects shifted by some px, some missed, doubled or of another class.

    Parameters
    ----------
    truth : segmentation of its annotations are RLEs.
    """
    rng = np.random.default_rng(seed)
    classes = [entry["id"] for entry in truth["categories"]]
    results = []
    for entry in truth["annotations"]:
        mask = rles_to_masks([entry["segmentation"]])
        for _ in range(rng.choice([0, 1, 1, 1, 2])):
            shift = rng.integers(-5, 6, 2)
            shape = shape_of(np.roll(mask, shift, axis=(1, 2)))
            category = entry["category_id"] if rng.random() < 0.9 else int(rng.choice(classes))
            kept = {"image_id": entry["image_id"], "category_id": category}
            score = round(float(rng.random()), 3)  # some are equal
            results.append({**kept, "score": score, **shape})
    return results
