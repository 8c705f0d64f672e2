"""How a table is spoilt by who writes it again: its rows, its header, single values."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from stages.tables.headers import KEY, ROWS
from tests.malformed.spoiling import CUT, DOUBLED, FLIPPED, NO_FILE, Spoil

Header = dict[str, Any]


def _again(path: Path, rows: Callable[[pa.Table], pa.Table], **header: Any) -> None:
    """Write a table again with other rows or facts; None takes a fact out."""
    table = pq.read_table(path, partitioning=None)
    metadata = {name.decode(): text.decode() for name, text in table.schema.metadata.items()}
    facts = {**json.loads(metadata[KEY]), **header}
    kept = {name: fact for name, fact in facts.items() if fact is not None}
    found = rows(table).replace_schema_metadata({**metadata, KEY: json.dumps(kept)})
    pq.write_table(found, path)


def with_rows(rows: Callable[[pa.Table], pa.Table]) -> Spoil:
    """Other rows, and the count of those that were written."""
    return lambda path: _again(path, rows)


def with_header(**header: Any) -> Spoil:
    """Other facts, or fewer."""
    return lambda path: _again(path, lambda table: table, **header)


def with_metadata(*, keep: bool, **texts: str) -> Spoil:
    """Another header as text, beside the count or without one."""

    def spoil(path: Path) -> None:
        table = pq.read_table(path, partitioning=None)
        count = {ROWS: str(len(table))} if keep else {}
        pq.write_table(table.replace_schema_metadata({**count, **texts}), path)

    return spoil


def with_value(column: str, value: Any) -> Spoil:
    """Another value in the last row of a column."""

    def changed(table: pa.Table) -> pa.Table:
        place = table.column_names.index(column)
        field, values = table.schema.field(place), table.column(place).to_pylist()
        fields = field.with_nullable(True)
        return table.set_column(place, fields, pa.array([*values[:-1], value], type=field.type))

    return with_rows(changed)


FILES: dict[str, Spoil] = {**CUT, **DOUBLED, **FLIPPED, **NO_FILE}
ROWS_OF: dict[str, Spoil] = {
    "rows reversed": with_rows(lambda table: table.take(list(range(len(table)))[::-1])),
    "rows doubled": with_rows(lambda table: pa.concat_tables([table, table])),
    "half of its rows": with_rows(lambda table: table.slice(0, len(table) // 2)),
    "without its first row": with_rows(lambda table: table.slice(1)),
    "no rows": with_rows(lambda table: table.slice(0, 0)),
    "no columns": with_rows(lambda table: table.select([0])),
}
HEADERS: dict[str, Spoil] = {
    "another version": with_header(version=99),
    "another table": with_header(schema="odd"),
    "no version": with_header(version=None),
    "no header": with_metadata(keep=True),
    "a header that is no JSON": with_metadata(keep=True, **{KEY: '{"schema'}),
    "a header too deep": with_metadata(keep=True, **{KEY: "[" * 100_000}),
    "a list for a header": with_metadata(keep=True, **{KEY: "[]"}),
    "no count": lambda path: with_metadata(keep=False, **{KEY: _header(path)})(path),
}
SHARDS: dict[str, Spoil] = {
    "another shard by name": with_header(shard="0007-of-0009"),
    "an odd shard": with_header(shard=[1]),
}
MASKS: dict[str, Spoil] = {
    "a code without end": with_value("rle", b"PPPPPPPPPPPP0"),
    "no code": with_value("rle", b"\xff\x00zz"),
    "a code of another size": with_value("rle", b"1"),
    "height 0": with_value("height", 0),
    "a huge height": with_value("height", 2**31 - 1),
    "another width": with_value("width", 3),
}


def _header(path: Path) -> str:
    return str(pq.read_schema(path).metadata[KEY.encode()].decode())
