"""A small data set: one bright rectangle of each of two classes on noise."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from stages.geometry.masks import masks_to_rles

SIDE = 64
CATEGORIES = [{"id": 3, "name": "red"}, {"id": 8, "name": "green"}, {"id": 9, "name": "none"}]


def rectangle(rng: np.random.Generator) -> tuple[int, int, int, int]:
    """(x0, y0, x1, y1) px."""
    x, y = rng.integers(2, 28, 2)
    width, height = rng.integers(16, 30, 2)
    return int(x), int(y), int(x + width), int(y + height)


def annotation(
    number: int, image_id: int, category_id: int, box: tuple[int, int, int, int]
) -> dict[str, Any]:
    """A COCO annotation of a filled box, xyxy px."""
    x0, y0, x1, y1 = box
    mask = np.zeros((1, SIDE, SIDE), dtype=np.uint8)
    mask[0, y0:y1, x0:x1] = 1
    rle = masks_to_rles(mask)[0]
    return {
        "id": number,
        "image_id": image_id,
        "category_id": category_id,
        "bbox": [x0, y0, x1 - x0, y1 - y0],
        "area": (x1 - x0) * (y1 - y0),
        "iscrowd": 0,
        "segmentation": {"size": rle["size"], "counts": rle["counts"].decode()},
    }


def write_rectangles(folder: Path, count: int = 4, **changes: Any) -> Path:
    """`folder/*.png` and `folder/labels.json`; image `count` + 1 has no objects."""
    rng = np.random.default_rng(0)
    images, annotations = [], []
    for image_id in range(1, count + 2):
        pixels = rng.integers(0, 60, (SIDE, SIDE, 3), dtype=np.uint8)
        for label in range(2 if image_id <= count else 0):
            x0, y0, x1, y1 = box = rectangle(rng)
            pixels[y0:y1, x0:x1] = 30
            pixels[y0:y1, x0:x1, label] = 220
            number = len(annotations) + 1
            annotations.append(annotation(number, image_id, [3, 8][label], box) | changes)
        Image.fromarray(pixels).save(folder / f"{image_id}.png")
        entry = {"id": image_id, "file_name": f"{image_id}.png", "height": SIDE, "width": SIDE}
        images.append(entry)
    data = {"images": images, "categories": CATEGORIES, "annotations": annotations}
    (folder / "labels.json").write_text(json.dumps(data))
    return folder / "labels.json"
