"""What a table's file says of itself, read before any row: which table, by whom, how many rows.

A file that is cut, or that another program wrote again with other rows, is told from a whole one
here; what Parquet's library says of a damaged one becomes a sentence with the remedy.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from stages.runtime.program import shown
from stages.tables.record import Record

KEY = "maskmill"
ROWS = "maskmill rows"  # how many were written
EDITION_1 = ("refinements", "selections", "proposals")  # tables that went by these names, version 1
AGAIN = "Remove the file and run snakemake again."


def header_text(rows: int, text: str) -> dict[str, str]:
    """Metadata of a file of so many rows; `text` : the header as JSON."""
    return {KEY: text, ROWS: str(rows)}


@contextmanager
def damage_told(path: Path) -> Iterator[None]:
    """What Parquet's library says of a file becomes a ValueError that names it.

    Within stand its own calls alone: pyarrow's errors are in part ValueErrors without a file.
    """
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError, OverflowError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"{path}: not a Parquet file ({reason}). Remove it and rerun.") from error


def read_header(path: Path) -> dict[str, Any]:
    """Schema name, version and provenance of a table.

    Raises
    ------
    ValueError : the file is missing, no Parquet file, or not one of ours.
    """
    return _footer(path)[0]


def checked_header(path: Path, record: Record) -> dict[str, Any]:
    """The header of a table that must be one of `record`, with as many rows as were written.

    Raises
    ------
    ValueError : the file is missing, damaged, or of another schema or version.
    """
    header, wanted, rows = _footer(path)
    seen = (header.get("schema"), header.get("version"))
    if seen != (record.name, record.version):
        is_first = seen[1] == 1 and seen[0] in EDITION_1
        edition = ", made by edition 1 of Maskmill" if is_first else ""
        named = f"{shown(seen[0])} version {shown(seen[1])}{edition}"
        raise ValueError(
            f"{path}: holds table {named}, but {record.name} version {record.version} is wanted. "
            f"{AGAIN}"
        )
    if wanted != str(rows):
        told = f"{shown(wanted)} were" if wanted else "it does not say how many were"
        raise ValueError(f"{path}: it holds {rows} rows, but {told} written. {AGAIN}")
    return header


def _more_behind(footer: pq.FileMetaData, size: int) -> bool:
    """Whether more than the index of pages stands behind the rows, such as a second file."""
    if not footer.num_row_groups:
        return False
    last = footer.row_group(footer.num_row_groups - 1).column(footer.num_columns - 1)
    start = last.dictionary_page_offset if last.has_dictionary_page else last.data_page_offset
    end = start + last.total_compressed_size
    return bool(size - footer.serialized_size - 8 - end >= end + footer.serialized_size + 8)


def _footer(path: Path) -> tuple[dict[str, Any], str, int]:
    """The header, the number of rows that were written, as text, and that of those there."""
    if not path.is_file():
        raise ValueError(f"{path}: this file is missing. Run snakemake to make it.")
    with damage_told(path):
        footer = pq.read_metadata(path)
        metadata = footer.metadata or {}
        rows, wanted = footer.num_rows, metadata.get(ROWS.encode(), b"").decode()
        is_twice = _more_behind(footer, path.stat().st_size)
    if is_twice:
        raise ValueError(f"{path}: something stands between its rows and its footer. {AGAIN}")
    if KEY.encode() not in metadata:
        raise ValueError(
            f"{path}: a Parquet file, but not one that Maskmill wrote. Remove it and rerun."
        )
    try:
        header = json.loads(metadata[KEY.encode()])
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise ValueError(f"{path}: its header is not one that Maskmill writes. {AGAIN}")
    return header, wanted, rows
