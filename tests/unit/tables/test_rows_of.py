"""Rows by id, cut when they are asked for."""

import pyarrow as pa

from stages.tables.spans import RowsOf, rows_by


def test_they_are_those_that_are_cut_at_once() -> None:
    table = pa.table({"image_id": [1, 1, 4, 7, 7, 7], "x": [0, 1, 2, 3, 4, 5]})
    found = RowsOf(table, "image_id")
    assert dict(found) == rows_by(table, "image_id")
    assert list(found) == [1, 4, 7]
    assert len(found) == 3
    assert found.get(5) is None
    assert 4 in found


def test_no_rows_are_no_ids() -> None:
    assert dict(RowsOf(pa.table({"image_id": pa.array([], pa.int64())}), "image_id")) == {}
