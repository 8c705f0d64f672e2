"""What grades are worth where the truth is known, beside what methods and segmenters say."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from stages.metrics.calibration import GOOD
from stages.metrics.trust import trust_of
from stages.tables.grades import GRADES
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.table import read_table

FORETELLING = {  # name: table and column
    "score": ("grades", "score"),
    "mask_quality": ("grades", "mask_quality"),
    "method_score": ("pseudo_labels", "score"),
    "predicted_iou": ("grades", "predicted_iou"),
}
KEY = ("image_id", "instance_id")
RECORDS = {"grades": GRADES, "pseudo_labels": PSEUDO_LABELS}


def label_trust(
    objects: pa.Table, grades: Sequence[Path], pseudo_labels: Sequence[Path]
) -> dict[str, Any] | None:
    """By name of FORETELLING what `metrics.trust` measures; None without true objects.

    Parameters
    ----------
    objects : table `judged_objects`, of labels whose object is known; the others do not count.
    grades, pseudo_labels : shards of these tables.
    """
    if not len(objects):
        return None
    known = objects.select([*KEY, "mask_iou"])
    files = {"grades": grades, "pseudo_labels": pseudo_labels}
    found = {}
    for name, (table, column) in FORETELLING.items():
        rows = _column(files[table], table, column)
        order = [(key, "ascending") for key in KEY]  # a join has none, and sums depend on it
        joined = known.join(rows, list(KEY), join_type="inner").sort_by(order)
        ious = joined.column("mask_iou").to_numpy()
        values = joined.column(column).cast(pa.float64()).fill_null(np.nan).to_numpy()
        found[name] = trust_of(values, ious, good=GOOD)
    return found


def _column(paths: Sequence[Path], table: str, column: str) -> pa.Table:
    """The key and one column of all shards."""
    record = RECORDS[table]
    parts = [read_table(path, record, columns=[*KEY, column]) for path in paths]
    return pa.concat_tables([part.select([*KEY, column]) for part in parts])
