"""Bags of one image as they are scored, from rows of table `proposals`."""

import numpy as np
import pyarrow as pa

from stages.geometry.masks import rle_of
from stages.metrics.choices import ScoredBag
from stages.tables.proposals import own_answers
from stages.tables.spans import rows_by
from stages.tables.table import boxes_of
from stages.tables.weak_labels import TAG_BAG

BAG_COLUMNS = (  # so that no more is read than is needed
    *("image_id", "bag_id", "proposal_id", "prompt_kind", "derived", "mask_index", "box", "area"),
    *("rle", "height", "width", "predicted_iou"),
)


def bags_of(proposals: pa.Table | None) -> dict[int, ScoredBag]:
    """Bags of one image by instance; the bag of its tags is of none, and left out.

    Parameters
    ----------
    proposals : rows of one image, with BAG_COLUMNS; None for no rows.
    """
    bags = {} if proposals is None else rows_by(proposals, "bag_id")
    return {number: _bag(rows) for number, rows in bags.items() if number != TAG_BAG}


def _bag(rows: pa.Table) -> ScoredBag:
    size = rows.column("height")[0].as_py(), rows.column("width")[0].as_py()
    return ScoredBag(
        rles=[rle_of(counts, *size) for counts in rows.column("rle").to_pylist()],
        boxes=boxes_of(rows).astype(np.float64),
        area=rows.column("area").to_numpy(),
        proposal_id=rows.column("proposal_id").to_numpy(),
        slot=rows.column("mask_index").to_numpy(),
        is_own=own_answers(rows),
        predicted_iou=rows.column("predicted_iou").to_numpy(),
    )
