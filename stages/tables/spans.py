"""Where the rows of equal keys begin and end, in a table that is sorted by them."""

from collections.abc import Iterator, Mapping
from itertools import pairwise

import numpy as np
import pyarrow as pa


def runs(keys: np.ndarray) -> dict[int, tuple[int, int]]:
    """First row, and row behind the last, of each run of equal keys, in order.

    Parameters
    ----------
    keys : (n,) int; equal ones stand together.
    """
    if not len(keys):
        return {}
    edges = [0, *(np.flatnonzero(keys[1:] != keys[:-1]) + 1).tolist(), len(keys)]
    return {int(keys[a]): (a, b) for a, b in pairwise(edges)}


def rows_by(table: pa.Table, name: str) -> dict[int, pa.Table]:
    """Split a table into one per value of a column of ids, in order and without copying.

    Parameters
    ----------
    table : rows in which equal ids stand together.
    """
    spans = runs(table.column(name).to_numpy())
    return {key: table.slice(a, b - a) for key, (a, b) in spans.items()}


class RowsOf(Mapping[int, pa.Table]):
    """As `rows_by`, but cut when they are asked for: a table of a few rows takes some kilobytes."""

    def __init__(self, table: pa.Table, name: str):
        self._table, self._spans = table, runs(table.column(name).to_numpy())

    def __getitem__(self, key: int) -> pa.Table:
        begin, end = self._spans[key]
        return self._table.slice(begin, end - begin)

    def __iter__(self) -> Iterator[int]:
        return iter(self._spans)

    def __len__(self) -> int:
        return len(self._spans)
