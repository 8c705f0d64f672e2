"""What is known of each object of an image beside its class: its points, its rivals', its box."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from stages.labels.by_instance import labels_of_instances
from stages.labels.relabelling import Known

NOTHING = Known(np.zeros((0, 2)), np.zeros((0, 2)), None)


def known_objects(labels: pa.Table) -> dict[int, Known]:
    """What is known of each object of an image, by instance_id.

    Parameters
    ----------
    labels : rows of table `weak_labels` of the image.
    """
    rows = labels_of_instances(labels)
    points = {number: _points(mine) for number, mine in rows.items()}
    known = {}
    for number, mine in rows.items():
        category = mine[0]["category_id"]
        others = [
            points[other]
            for other, theirs in rows.items()
            if other != number and theirs[0]["category_id"] == category
        ]
        boxes = [row["box"] for row in mine if row["kind"] == "box"]
        box = np.array(boxes[0], dtype=np.float64) if boxes else None
        known[number] = Known(points[number], np.concatenate([NOTHING.rivals, *others]), box)
    return known


def _points(rows: Sequence[Mapping[str, Any]]) -> np.ndarray:
    found = [(row["x"], row["y"]) for row in rows if row["kind"] == "point"]
    return np.array(found, dtype=np.float64).reshape(-1, 2)
