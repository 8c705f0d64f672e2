"""What is wrong with a table: columns, nulls, words, ranges, boxes, masks, keys, order."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stages.geometry.codes import MOST_PIXELS, NO_CODE, code_areas
from stages.tables.headers import AGAIN
from stages.tables.record import BOX, Record

SIZE = ("height", "width")  # of the image in each row, px
MASKS = ("rle", "extra_rles", "ignore_rle")  # columns of run-length codes


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
    _check_masks(table, where)
    _check_order(table, record, where)


def columns_to_check(record: Record, columns: Sequence[str] | None) -> list[str] | None:
    """The columns to read where some are asked for: the key too, and with masks their size."""
    if columns is None:
        return None
    names = set(record.schema.names)
    size = SIZE if set(MASKS) & set(columns) and names.issuperset(SIZE) else ()
    return list(dict.fromkeys([*record.key, *columns, *size]))


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


def _check_masks(table: pa.Table, where: str) -> None:
    """Codes of masks are codes, and of the image's size where the table says it."""
    seen = set(table.column_names)
    area = None
    if seen.issuperset(SIZE):
        height, width = (table.column(name).to_numpy().astype(np.int64) for name in SIZE)
        area = height * width
        if area.max(initial=0) > MOST_PIXELS:
            raise ValueError(
                f"{where}: an image of {area.max()} px is larger than any that is read. {AGAIN}"
            )
    for name in MASKS:
        if name in seen:
            check_codes(table.column(name), area, f"{where}: column {name}")


def check_codes(column: pa.ChunkedArray, area: np.ndarray | None, where: str) -> None:
    """Hold the codes of masks against the area of the image in each row, px; None: not known.

    Parameters
    ----------
    column : a code, a list of codes or null in each row.

    Raises
    ------
    ValueError : a row has bytes that are no code, or that do not fill its image.
    """
    codes = column.combine_chunks()
    rows = np.flatnonzero(codes.is_valid().to_numpy(zero_copy_only=False))
    codes = codes.drop_null()
    if pa.types.is_list(codes.type):
        rows = rows[pc.list_parent_indices(codes).to_numpy()]
        codes = codes.flatten()
    found = code_areas(*_bytes_of(codes))
    odd = found == NO_CODE if area is None else found != area[rows]
    if odd.any():
        row, seen = int(rows[odd][0]), found[odd][0]
        told = f"fills {seen} px of {area[row]}" if area is not None else ""
        told = "is no run-length code" if seen == NO_CODE else told
        raise ValueError(f"{where}: the mask in row {row} {told}. {AGAIN}")


def _bytes_of(codes: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """The bytes of binary values without nulls, and where each begins, as `code_areas` wants."""
    if not len(codes):
        return np.zeros(0, dtype=np.uint8), np.zeros(1, dtype=np.int64)
    _, offsets, data = codes.buffers()
    ends = np.frombuffer(offsets, dtype=np.int32)[codes.offset : codes.offset + len(codes) + 1]
    ends = ends.astype(np.int64)
    whole = np.frombuffer(data, dtype=np.uint8) if data else np.zeros(0, dtype=np.uint8)
    return whole[ends[0] : ends[-1]], ends - ends[0]


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
