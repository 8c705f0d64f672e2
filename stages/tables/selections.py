"""Table `selections`: every score of every proposal, and which were chosen."""

import numpy as np
import pyarrow as pa

from stages.tables.record import BAG, BOX, FINITE, IMAGE, PROPOSAL, Record, column
from stages.tables.table import boxes_of

SELECTIONS = Record(
    "selections",
    2,
    (
        IMAGE,
        BAG,
        PROPOSAL,
        column("category_id", pa.int32(), "class that the scores are about"),
        column("score", pa.float32(), "what the choice was made by"),
        column("selected", pa.bool_(), "PSM: one of each bag"),
        column("bag_score", pa.float32(), "of the bag for the class, 0 to 1"),
        column("score_cls", pa.float32(), "S_cls of the class, 0 to 1 (SAPNet 3.2)", null=True),
        column("score_ins", pa.float32(), "S_ins of the class, 0 to 1", null=True),
        column("score_dis", pa.float32(), "S_dis, point distance guidance (Eq. 2)", null=True),
        column("box", BOX, "xyxy px that the method moved it to; null: none", null=True),
    ),
    ("image_id", "bag_id", "proposal_id", "category_id"),
    (
        *(("proposal_id", 0, FINITE), ("score", -FINITE, FINITE), ("bag_score", 0, 1.001)),
        *(("score_cls", 0, 1), ("score_ins", 0, 1), ("score_dis", 0, 1)),
    ),
)


def moved_boxes(rows: pa.Table, own: np.ndarray) -> np.ndarray:
    """(n, 4) boxes that the method moved proposals to; their own where it did not.

    Parameters
    ----------
    rows : (n,) of the table, with box. own : (n, 4) float64 xyxy px of their proposals.
    """
    is_moved = rows.column("box").is_valid().to_numpy(zero_copy_only=False)
    boxes = own.copy()
    boxes[is_moved] = boxes_of(rows.filter(pa.array(is_moved)))
    return boxes
