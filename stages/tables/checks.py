"""What is wrong with a table: columns, nulls, words, ranges, boxes, keys, order."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stages.tables.record import BOX, Record


def validate(table: pa.Table, record: Record, where: str, *, partly: bool = False) -> None:
    """Hold a table against its record.

    Parameters
    ----------
    where : the file, for the sentence.
    partly : the table may have some of the columns alone, its key among them.

    Raises
    ------
    ValueError : names the file, the column and what was seen.
    """
    _check_columns(table, record, where, partly=partly)
    for field in record.columns:
        if field.name in table.column_names:
            _check_column(table.column(field.name), field, f"{where}: column {field.name}")
    for name, words in record.words.items():
        if name in table.column_names:
            _check_words(table.column(name), words, f"{where}: column {name}")
    for name, low, high in record.ranges:
        if name in table.column_names:
            _check_range(table.column(name), low, high, f"{where}: column {name}")
    _check_order(table, record, where)


def _check_columns(table: pa.Table, record: Record, where: str, *, partly: bool) -> None:
    seen = set(table.column_names)
    wanted = [field for field in record.columns if not partly or field.name in seen]
    if not table.schema.equals(pa.schema(wanted)) or not seen.issuperset(record.key):
        raise ValueError(
            f"{where}: the columns are not those of table '{record.name}' version "
            f"{record.version}. Remove the file and run snakemake again."
        )


def _check_column(column: pa.ChunkedArray, field: pa.Field, where: str) -> None:
    if not field.nullable and column.null_count:
        raise ValueError(
            f"{where} has {column.null_count} empty values. "
            "Remove the file and run snakemake again."
        )
    if field.type == BOX:
        boxes = column.drop_null().combine_chunks()
        _check_boxes(np.asarray(boxes.flatten(), dtype=np.float32).reshape(-1, 4), where)


def _check_boxes(boxes: np.ndarray, where: str) -> None:
    sound = np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    if not sound.all():
        row = int(np.flatnonzero(~sound)[0])
        raise ValueError(
            f"{where}: box {boxes[row].tolist()} in row {row} has no area. "
            "Remove the file and run snakemake again."
        )


def _check_words(column: pa.ChunkedArray, words: tuple[str, ...], where: str) -> None:
    odd = set(pc.unique(column.drop_null()).to_pylist()) - set(words)
    if odd:
        raise ValueError(
            f"{where}: {min(odd)!r} is none of {', '.join(words)}. "
            "Remove the file and run snakemake again."
        )


def _check_range(column: pa.ChunkedArray, low: float, high: float, where: str) -> None:
    values = _flat(column)
    bad = values[~((values >= low) & (values <= high) & np.isfinite(values))]
    if bad.size:
        raise ValueError(
            f"{where}: {bad[0]} is outside {low} to {high}. "
            "Remove the file and run snakemake again."
        )


def _flat(column: pa.ChunkedArray) -> np.ndarray:
    """All numbers of a column, those in lists among them, without nulls."""
    values = column.drop_null().combine_chunks()
    while pa.types.is_nested(values.type):
        values = values.flatten()
    return np.asarray(values)


def _check_order(table: pa.Table, record: Record, where: str) -> None:
    """Rows rise strictly by the key: sorted, and none twice."""
    keys = [table.column(name).to_numpy(zero_copy_only=False) for name in record.key]
    rises = np.zeros(max(len(table) - 1, 0), dtype=bool)
    same = np.ones_like(rises)
    for key in keys:
        rises |= same & (key[1:] > key[:-1])
        same &= key[1:] == key[:-1]
    if not rises.all():
        row = int(np.flatnonzero(~rises)[0]) + 1
        seen = dict(zip(record.key, (key[row] for key in keys), strict=True))
        fault = "is there twice" if same[row - 1] else "is not in its place"
        text = ", ".join(f"{name} {value}" for name, value in seen.items())
        raise ValueError(
            f"{where}: rows must rise by {record.key}, but {text} {fault}. "
            "Remove the file and run snakemake again."
        )
