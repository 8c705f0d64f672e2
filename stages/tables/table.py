"""How a table that crosses a border is declared, checked, written and read.

Boxes are xyxy float32 in absolute pixels of the original image, half-open ([x0, y0, x1, y1] with
x1 = last column + 1). Masks are COCO run-length counts as bytes; their size is (height, width).
Tables are sorted by image_id, then instance_id, then proposal_id, and written as Parquet (zstd-3)
with row groups that end where an image ends. The metadata of each file carries the schema's name
and version and the provenance; `read_table` refuses another schema or version.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stages.runtime.atomic import replacing

ROWS_PER_GROUP = 1500  # small enough that one image is read in milliseconds
BOX = pa.list_(pa.float32(), 4)
KEY = "maskmill"
HUGE = float("inf")  # no upper limit of a range


def column(name: str, kind: pa.DataType, text: str, *, null: bool = False) -> pa.Field:
    """A column that says what it holds; `null`: whether a value may be missing."""
    return pa.field(name, kind, nullable=null, metadata={"description": text})


@dataclass(frozen=True, slots=True)
class Record:
    """One kind of table: its name, version, columns, sort key and the ranges of its values."""

    name: str
    version: int
    columns: tuple[pa.Field, ...]
    key: tuple[str, ...]
    ranges: tuple[tuple[str, float, float], ...] = ()

    @property
    def schema(self) -> pa.Schema:
        """The pyarrow schema, without file metadata."""
        return pa.schema(self.columns)


IMAGE = column("image_id", pa.int64(), "id of the image in the annotation file")
INSTANCE = column("instance_id", pa.int64(), "id of the annotation that the weak label came from")
PROPOSAL = column("proposal_id", pa.int32(), "position in the bag, from 0")


def table_of(record: Record, rows: Mapping[str, Sequence[Any]]) -> pa.Table:
    """Columns as Python lists or arrays to a table of `record`; every column must be given.

    Raises
    ------
    RuntimeError : a column is missing or surplus.
    """
    if set(rows) != set(record.schema.names):
        odd = sorted(set(rows) ^ set(record.schema.names))
        raise RuntimeError(f"table {record.name}: these columns do not match the record: {odd}.")
    arrays = [_array(rows[field.name], field) for field in record.columns]
    return pa.Table.from_arrays(arrays, schema=record.schema)


def empty_table(record: Record) -> pa.Table:
    """A table of `record` without rows."""
    return record.schema.empty_table()


def _array(values: Sequence[Any], field: pa.Field) -> pa.Array:
    if field.type == BOX and isinstance(values, np.ndarray):
        flat = np.ascontiguousarray(values, dtype=np.float32).reshape(-1)
        return pa.FixedSizeListArray.from_arrays(pa.array(flat), 4)
    return pa.array(values, type=field.type)


def boxes_of(table: pa.Table, name: str = "box") -> np.ndarray:
    """Column of boxes as an (n, 4) float32 array; the column must have no nulls."""
    column = table.column(name).combine_chunks()
    return np.asarray(column.flatten(), dtype=np.float32).reshape(-1, 4)


def validate(table: pa.Table, record: Record, where: str) -> None:
    """Check columns, nulls, ranges, boxes and order of `table`.

    Raises
    ------
    ValueError : names the file, the column and what was seen.
    """
    if not table.schema.equals(record.schema):
        raise ValueError(
            f"{where}: the columns are not those of table '{record.name}' version "
            f"{record.version}. Remove the file and run snakemake again."
        )
    for field in record.columns:
        column = table.column(field.name)
        if not field.nullable and column.null_count:
            raise ValueError(f"{where}: column {field.name} has {column.null_count} empty values.")
        if field.type == BOX and not field.nullable:
            _check_boxes(boxes_of(table, field.name), f"{where}: column {field.name}")
    for name, low, high in record.ranges:
        _check_range(table.column(name), low, high, f"{where}: column {name}")
    _check_order(table, record, where)


def _check_boxes(boxes: np.ndarray, where: str) -> None:
    bad = np.flatnonzero(~((boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])))
    if bad.size:
        raise ValueError(f"{where}: box {boxes[bad[0]].tolist()} in row {bad[0]} has no area.")


def _check_range(column: pa.ChunkedArray, low: float, high: float, where: str) -> None:
    values = column.drop_null().to_numpy()
    bad = values[~((values >= low) & (values <= high))]
    if bad.size:
        raise ValueError(f"{where}: {bad[0]} is outside {low} to {high}.")


def _check_order(table: pa.Table, record: Record, where: str) -> None:
    keys = [table.column(name).to_numpy(zero_copy_only=False) for name in record.key]
    order = np.lexsort(keys[::-1])
    same = np.all([key[1:] == key[:-1] for key in keys], axis=0) if len(table) > 1 else np.zeros(0)
    if np.any(order != np.arange(len(table))) or np.any(same):
        raise ValueError(f"{where}: rows are not sorted by {record.key}, or a key is there twice.")


def write_table(path: Path, table: pa.Table, record: Record, provenance: Mapping[str, Any]) -> None:
    """Validate `table` and write it to `path`, completely or not at all.

    Parameters
    ----------
    table : rows sorted by `record.key`.
    provenance : JSON-able; what the content depends on (`provenance.provenance_of`).
    """
    validate(table, record, str(path))
    header = {"schema": record.name, "version": record.version, **provenance}
    text = json.dumps(header, sort_keys=True)
    schema = record.schema.with_metadata({KEY: text})
    with replacing(path) as temporary, _writer(temporary, schema) as writer:
        for start, end in _groups(table):
            writer.write_table(table.slice(start, end - start).cast(schema), row_group_size=1 << 30)


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    return pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        compression_level=3,
        use_dictionary=[n for n in schema.names if n in ("image_id", "instance_id", "prompt_kind")],
        write_page_index=True,
    )


def _groups(table: pa.Table) -> Iterator[tuple[int, int]]:
    """Ranges of about ROWS_PER_GROUP rows that never part an image."""
    if "image_id" not in table.column_names:
        yield 0, len(table)
        return
    ids = table.column("image_id").to_numpy()
    starts = [*(np.flatnonzero(ids[1:] != ids[:-1]) + 1).tolist(), len(ids)]
    begin = 0
    for end in starts:
        if end - begin >= ROWS_PER_GROUP or (end == len(ids) and end > begin):
            yield begin, end
            begin = end


def read_header(path: Path) -> dict[str, Any]:
    """Schema name, version and provenance of a table.

    Raises
    ------
    ValueError : the file is missing, no Parquet file, or not one of ours.
    """
    if not path.is_file():
        raise ValueError(f"{path}: this file is missing. Run snakemake to make it.")
    try:
        metadata = pq.read_schema(path).metadata or {}
    except pa.ArrowInvalid as error:
        raise ValueError(f"{path}: not a Parquet file ({error}). Remove it and rerun.") from error
    if KEY.encode() not in metadata:
        raise ValueError(f"{path}: a Parquet file, but not one that Maskmill wrote.")
    header: dict[str, Any] = json.loads(metadata[KEY.encode()])
    return header


def checked_header(path: Path, record: Record) -> dict[str, Any]:
    """The header of a table that must be one of `record`.

    Raises
    ------
    ValueError : the file is missing, damaged, or of another schema or version.
    """
    header = read_header(path)
    seen = (header["schema"], header["version"])
    if seen != (record.name, record.version):
        raise ValueError(
            f"{path}: holds table {seen[0]} version {seen[1]}, but {record.name} version "
            f"{record.version} is wanted. Remove the file and run snakemake again."
        )
    return header


def read_table(
    path: Path,
    record: Record,
    *,
    columns: Sequence[str] | None = None,
    image_id: int | None = None,
) -> pa.Table:
    """Read a table of `record`, or some of its columns, or the rows of one image.

    Raises
    ------
    ValueError : the file is missing, damaged, or of another schema or version.
    """
    checked_header(path, record)
    rows = None if image_id is None else [("image_id", "=", image_id)]
    table = pq.read_table(
        path, columns=list(columns) if columns else None, filters=rows, partitioning=None
    )
    wanted = [field for field in record.columns if field.name in table.column_names]
    schema = pa.schema(wanted)
    return table.select(schema.names).cast(schema)


def read_tables(
    paths: Iterable[Path], record: Record, *, columns: Sequence[str] | None = None
) -> pa.Table:
    """All rows of several shards, sorted by the record's key columns that were read."""
    tables = [read_table(path, record, columns=columns) for path in paths]
    table = pa.concat_tables(tables) if tables else empty_table(record)
    keys = [(name, "ascending") for name in record.key if name in table.column_names]
    return table.sort_by(keys) if keys else table


def rows_by_image(table: pa.Table) -> dict[int, pa.Table]:
    """Split a table sorted by image_id into one table per image, without copying."""
    ids = table.column("image_id").to_numpy()
    edges = [0, *(np.flatnonzero(ids[1:] != ids[:-1]) + 1).tolist(), len(ids)]
    return {int(ids[a]): table.slice(a, b - a) for a, b in pairwise(edges) if b > a}
