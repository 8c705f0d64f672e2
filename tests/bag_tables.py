"""Small tables of bags, written by hand: two images of 40 x 100 px."""

from typing import Any

import numpy as np
import pyarrow as pa

from stages.geometry.masks import masks_to_rles
from stages.tables.images import IMAGES
from stages.tables.proposals import PROPOSALS
from stages.tables.selections import SELECTIONS
from stages.tables.table import rows_table
from stages.tables.weak_labels import WEAK_LABELS

HEIGHT, WIDTH = 40, 100


def images(count: int = 2) -> pa.Table:
    rows = [
        {
            "image_id": number,
            "file_name": f"{number}.png",
            "height": HEIGHT,
            "width": WIDTH,
            "shard": 0,
            "orientation": 1,
            "digest": f"{number}",
        }
        for number in range(1, count + 1)
    ]
    return rows_table(IMAGES, rows)


def label(image: int, label_id: int, kind: str = "point", **more: Any) -> dict[str, Any]:
    """A row of table `weak_labels` about the object of the same number, of class 10."""
    row = {"image_id": image, "label_id": label_id, "kind": kind, "category_id": 10}
    row |= {"instance_id": label_id, "bag_id": label_id, "status": "given"}
    if kind == "point":
        row |= {"x": 3.0, "y": 4.0}
    if kind == "box":
        row |= {"box": [10.0, 20.0, 30.0, 36.0]}
    if kind == "mask":
        row |= {"rle": mask(5, 9)}
    if kind == "tag":
        row |= {"instance_id": None, "bag_id": -1}
    return {**row, **more}


def labels(*rows: dict[str, Any]) -> pa.Table:
    return rows_table(WEAK_LABELS, rows)


def mask(x0: int, x1: int) -> bytes:
    """COCO counts of a bar from row 5 to 15."""
    made = np.zeros((1, HEIGHT, WIDTH), dtype=np.uint8)
    made[0, 5:15, x0:x1] = 1
    counts: bytes = masks_to_rles(made)[0]["counts"]
    return counts


def proposals(rows: list[tuple[int, int, int, float, bool]]) -> pa.Table:
    """Rows (image, bag, slot, score, valid); the box tells bag and slot."""
    table = [
        {
            "image_id": image,
            "bag_id": bag,
            "proposal_id": slot,
            "prompt_kind": "point",
            "prompt_id": 0,
            "mask_index": slot,
            "box": [slot, bag, slot + 10, bag + 20],
            "area": 9,
            "rle": mask(slot + 1, slot + 11),
            "height": HEIGHT,
            "width": WIDTH,
            "predicted_iou": score,
            "stability": 1.0,
            "valid": valid,
        }
        for image, bag, slot, score, valid in rows
    ]
    return rows_table(PROPOSALS, table)


def selections(rows: list[tuple[int, int, int, bool, float]]) -> pa.Table:
    """Rows (image, bag, slot, selected, bag score)."""
    table = [
        {
            "image_id": image,
            "bag_id": bag,
            "proposal_id": slot,
            "category_id": 10,
            "score": 0.25,
            "selected": selected,
            "bag_score": score,
        }
        for image, bag, slot, selected, score in rows
    ]
    return rows_table(SELECTIONS, table)


LABELS = labels(
    label(1, 5, category_id=30, x=3.0, y=4.0),
    label(1, 6, x=7.0, y=8.0),
    label(2, 7, x=1.0, y=1.0),
)
ROWS = [
    (1, 5, 0, 0.5, True),
    (1, 5, 1, 1.5, False),
    (1, 5, 2, -1.0, True),
    (1, 6, 0, 0.9, False),
    (2, 7, 0, 0.8, True),
]
CHOICES = [
    (1, 5, 0, False, 0.7),
    (1, 5, 1, False, 0.7),
    (1, 5, 2, True, 0.7),
    (1, 6, 0, True, 0.2),
    (2, 7, 0, True, 0.5),
]
