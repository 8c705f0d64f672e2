"""Metrics of labels matched by IoU, as evaluate writes them, measured on drawn rectangles."""

from typing import Any

import numpy as np

from stages.geometry.masks import masks_to_rles, rle_boxes
from stages.metrics.match_judge import Detections, MatchedImage, MatchJudge
from stages.metrics.shapes import Shapes, no_shapes

SIDE = 64
CLASSES = {"3": "cat", "8": "a|dog"}


def rectangles(boxes: np.ndarray, classes: np.ndarray, scores: np.ndarray | None = None) -> Shapes:
    """Shapes of whole px: (n, 4) xyxy within an image of SIDE."""
    masks = np.zeros((len(boxes), SIDE, SIDE), dtype=np.uint8)
    for mask, (x0, y0, x1, y1) in zip(masks, boxes.astype(int).tolist(), strict=True):
        mask[y0:y1, x0:x1] = 1
    rles = masks_to_rles(masks)
    return Shapes(classes, rle_boxes(rles).astype(np.float64), rles, scores)


def drawn_image(seed: int, shift: int, *, tagged: bool = True) -> MatchedImage:
    """Four objects, a label for each that is so many px beside it, and proposals of both."""
    rng = np.random.default_rng(seed)
    low = np.array([[0, 0], [32, 0], [0, 32], [32, 32]]) + rng.integers(0, 6, (4, 2))
    boxes = np.concatenate([low, low + 18], axis=1)
    classes = rng.permutation([3, 3, 8, 8])
    moved = boxes + np.array([shift, 0, shift, 0])
    found = rectangles(moved, classes, rng.random(4))
    offered = np.concatenate([boxes, moved]).astype(float)
    seen = Detections(found, found.boxes, rng.random(4), np.ones(4, dtype=bool))
    return MatchedImage(
        tags=set(classes.tolist()) if tagged else set(),
        labels=found,
        proposals=offered,
        detections=seen if tagged else None,
        objects=rectangles(boxes, classes),
        ignored=no_shapes(),
    )


def matched(seed: int, shift: int, *, tagged: bool = True, images: int = 3) -> dict[str, Any]:
    """metrics.json of one variant and seed, the detector's numbers apart."""
    judge = MatchJudge(is_masked=True)
    for number in range(images):
        judge.image(drawn_image(100 * seed + number, shift, tagged=tagged))
    return {
        "counts": {"images": images, "scored": judge.seen["objects"]},
        "label_quality": None,
        "bms_rules": {},
        "label_ap": None,
        "training": None,
        "detector": None,
        "categories": dict(CLASSES),
        **judge.summary(),
    }
