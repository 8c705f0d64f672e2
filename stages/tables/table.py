"""How a table that crosses a border is declared, checked, written and read.

Boxes are xyxy float32 in absolute pixels of the original image, half-open ([x0, y0, x1, y1] with
x1 = last column + 1). Masks are COCO run-length counts as bytes; their size is (height, width).
Tables are sorted by their key, which is unique and never null, and written as Parquet (zstd-3) with
row groups that end where an image ends. The metadata of each file carries the schema's name and
version and the provenance. Readers check what writers check.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stages.runtime.atomic import replacing
from stages.tables.checks import columns_to_check, validate
from stages.tables.headers import checked_header, damage_told, header_text
from stages.tables.record import BOX, Record
from stages.tables.spans import rows_by

ROWS_PER_GROUP = 1500  # small enough that one image is read in milliseconds
WORDS = frozenset({"image_id", "bag_id", "instance_id", "prompt_kind", "kind"})  # that come again


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


def rows_table(record: Record, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows as dictionaries to a table of `record`; a column that a row lacks is null there."""
    return pa.Table.from_pylist(list(rows), schema=record.schema)


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


def write_table(path: Path, table: pa.Table, record: Record, provenance: Mapping[str, Any]) -> None:
    """Validate `table` and write it to `path`, completely or not at all.

    Parameters
    ----------
    table : rows sorted by `record.key`.
    provenance : JSON-able; what the content depends on (`provenance.provenance_of`).

    Raises
    ------
    ValueError : names the file, the column and what was seen.
    """
    write_pieces(path, [table], len(table), record, provenance)


def write_pieces(
    path: Path,
    pieces: Iterable[pa.Table],
    rows: int,
    record: Record,
    provenance: Mapping[str, Any],
) -> None:
    """As `write_table`, of a table that comes in pieces, of which one waits in memory.

    The bytes do not depend on where it is cut.

    Parameters
    ----------
    pieces : whole images each, along rising ids. rows : of all pieces together.
    """
    header = {"schema": record.name, "version": record.version, **provenance}
    text = json.dumps(header, sort_keys=True)
    schema = record.schema.with_metadata(header_text(rows, text))
    written = 0
    with replacing(path) as temporary, _writer(temporary, schema) as writer:
        for group in _groups(_validated(pieces, record, path)):
            writer.write_table(group.combine_chunks().cast(schema), row_group_size=1 << 30)
            written += len(group)
        if written != rows:
            raise RuntimeError(f"{path}: {written} rows were written, but {rows} were told.")


def _validated(pieces: Iterable[pa.Table], record: Record, path: Path) -> Iterator[pa.Table]:
    for piece in pieces:
        validate(piece, record, str(path))
        yield piece


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    return pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        compression_level=3,
        use_dictionary=[name for name in schema.names if name in WORDS],
        write_page_index=True,
        write_page_checksum=True,  # readers ask for it: zstd alone lets some bytes pass
    )


def _groups(pieces: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The rows in groups of about ROWS_PER_GROUP that never part an image."""
    waiting: pa.Table | None = None
    for piece in pieces:
        waiting = piece if waiting is None else pa.concat_tables([waiting, piece])
        begin = 0
        for end in _ends_of_images(waiting):
            if end - begin >= ROWS_PER_GROUP:
                yield waiting.slice(begin, end - begin)
                begin = end
        waiting = waiting.slice(begin)
    if waiting is not None and (len(waiting) or "image_id" not in waiting.column_names):
        yield waiting


def _ends_of_images(table: pa.Table) -> list[int]:
    """Numbers of the rows behind each image; none for a table that is not of images."""
    if "image_id" not in table.column_names or not len(table):
        return []
    ids = table.column("image_id").to_numpy()
    return [*(np.flatnonzero(ids[1:] != ids[:-1]) + 1).tolist(), len(ids)]


def read_table(path: Path, record: Record, *, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a table of `record`, or some of its columns, and check it.

    Raises
    ------
    ValueError : the file is missing, damaged, of another schema or version, or its rows are not as
        they should be: keys, order, nulls, ranges.
    """
    checked_header(path, record)
    wanted = columns_to_check(record, columns)
    with damage_told(path):
        table = pq.read_table(
            path, columns=wanted, partitioning=None, page_checksum_verification=True
        )
    table = checked(table, record, str(path), wanted)
    return table if columns is None else table.select(list(columns))


def checked(
    table: pa.Table, record: Record, where: str, columns: Sequence[str] | None = None
) -> pa.Table:
    """Rows of `record`, or some of its columns with all of its key, once they are found sound.

    Raises
    ------
    ValueError : names the file, the column and what was seen.
    """
    fields = [field for field in record.columns if columns is None or field.name in columns]
    seen = {field.name: field.type for field in table.schema}
    odd = [field for field in fields if seen.get(field.name) != field.type]
    if odd:
        kind = seen.get(odd[0].name)
        raise ValueError(
            f"{where}: column {odd[0].name} is {'missing' if kind is None else f'of type {kind}'}, "
            f"but table '{record.name}' version {record.version} has {odd[0].type}. Remove the "
            "file and run snakemake again."
        )
    arrays = [table.column(field.name) for field in fields]
    table = pa.Table.from_arrays(arrays, schema=pa.schema(fields))
    validate(table, record, where, partly=True)
    return table


def read_tables(
    paths: Iterable[Path], record: Record, *, columns: Sequence[str] | None = None
) -> pa.Table:
    """All rows of several shards, sorted by the record's key.

    Raises
    ------
    ValueError : as `read_table`, or two shards hold the same key.
    """
    files = list(paths)
    asked = {*record.key, *(columns or record.schema.names)}
    wanted = [name for name in record.schema.names if name in asked]
    tables = [read_table(path, record, columns=wanted) for path in files]
    table = pa.concat_tables(tables) if tables else empty_table(record)
    table = table.sort_by([(name, "ascending") for name in record.key]).combine_chunks()
    validate(table, record, str(files[0].parent) if files else record.name, partly=True)
    return table if columns is None else table.select(list(columns))


def rows_by_image(table: pa.Table) -> dict[int, pa.Table]:
    """Split a table sorted by image_id into one table per image, without copying."""
    return rows_by(table, "image_id")
