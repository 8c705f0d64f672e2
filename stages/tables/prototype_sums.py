"""Table `prototype_sums`: what each image says of its classes' prototypes; work in progress."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from stages.tables.record import FINITE, HUGE, IMAGE, Record, column

PROTOTYPE_SUMS = Record(
    "prototype_sums",
    1,
    (
        IMAGE,
        column("category_id", pa.int32(), "class"),
        column("counts", pa.list_(pa.int32()), "pixels of each sum; 1 where pixels are sampled"),
        column(
            "sums", pa.list_(pa.float32()), "sums of unit features, the numbers of each together"
        ),
    ),
    ("image_id", "category_id"),
    (("counts", 0, HUGE), ("sums", -FINITE, FINITE)),
)


def sums_row(
    image_id: int, category_id: int, sums: np.ndarray, counts: np.ndarray
) -> Mapping[str, Any]:
    """A row of the table, of (n, D) sums of (n,) pixels each."""
    ids = {"image_id": image_id, "category_id": category_id}
    return {**ids, "counts": counts.astype(np.int32), "sums": sums.astype(np.float32).ravel()}


def sums_of(table: pa.Table) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Yield category_id, (n, D) float32 sums and (n,) counts of each row, in order."""
    counts, sums = (table.column(name).combine_chunks() for name in ("counts", "sums"))
    category_ids = table.column("category_id").to_pylist()
    for row, category_id in enumerate(category_ids):
        mine = np.asarray(counts[row].values)
        yield category_id, np.asarray(sums[row].values).reshape(len(mine), -1), mine
