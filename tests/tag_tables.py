"""Small tables of an image with tags, written by hand: 40 x 100 px, classes 10 and 20."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from stages.geometry.masks import masks_to_rles
from stages.tables.proposals import PROPOSALS
from stages.tables.selections import SELECTIONS
from stages.tables.table import rows_table
from stages.tables.weak_labels import TAG_BAG
from tests.bag_tables import HEIGHT, WIDTH

Box = Sequence[int]


def bar(box: Box) -> bytes:
    """COCO counts of all pixels of a box."""
    x0, y0, x1, y1 = box
    made = np.zeros((1, HEIGHT, WIDTH), dtype=np.uint8)
    made[0, y0:y1, x0:x1] = 1
    counts: bytes = masks_to_rles(made)[0]["counts"]
    return counts


def tag_proposals(boxes: Sequence[Box], image_id: int = 1, **more: Any) -> pa.Table:
    """The bag of an image's tags: boxes, filled."""
    rows = [
        {
            **{"image_id": image_id, "bag_id": TAG_BAG, "proposal_id": number},
            **{"prompt_kind": "grid", "prompt_id": 0, "derived": number, "mask_index": 0},
            **{"box": list(box), "area": (box[2] - box[0]) * (box[3] - box[1])},
            **{"rle": bar(box), "height": HEIGHT, "width": WIDTH},
            **{"predicted_iou": 0.9 - number / 100, "stability": 1.0, "valid": True, **more},
        }
        for number, box in enumerate(boxes)
    ]
    return rows_table(PROPOSALS, rows)


def tag_scores(
    scores: Mapping[int, Sequence[float]],
    *,
    image_id: int = 1,
    dropped: Sequence[tuple[int, int]] = (),
    boxes: Mapping[tuple[int, int], Box] | None = None,
    bag_score: float = 0.5,
) -> pa.Table:
    """Scores of each proposal for each class.

    Parameters
    ----------
    dropped : (class, proposal) that did not survive. boxes : that the method moved.
    """
    moved = boxes or {}
    rows = [
        {
            **{"image_id": image_id, "bag_id": TAG_BAG, "proposal_id": number},
            **{"category_id": category, "score": score, "bag_score": bag_score},
            "selected": (category, number) not in dropped,
            "box": moved.get((category, number)),
        }
        for number in range(len(next(iter(scores.values()), ())))
        for category, values in sorted(scores.items())
        for score in [values[number]]
    ]
    return rows_table(SELECTIONS, rows)
