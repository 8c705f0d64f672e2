"""Rows of a table in a file, CSV with any usual delimiter or Parquet: in the file, out its cells.

The first row is the header. Standard library alone, but for Parquet.
"""

import csv
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

DELIMITERS = ",;\t|"
PARQUET = b"PAR1"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
HEAD = 1024  # bytes, in which a file that is no text shows itself
LONGEST_HEADER = 100_000  # characters; the csv module refuses cells above 131,072
BATCH = 10_000  # rows
Row = tuple[str, Sequence[Any]]  # place in the file, cells


def plain(name: str) -> str:
    """The name of a column without blanks around it and capitals: `file_name` of ` File Name`."""
    return name.strip().lower().replace(" ", "_")


def delimiter_of(source: Path, known: Collection[str]) -> str:
    """That under which the first line has most of the known columns, then most cells.

    The first line alone decides, since text in rows may hold any delimiter.

    Returns
    -------
    One of `DELIMITERS`, or "" for Parquet.

    Raises
    ------
    ValueError : the file is empty or no text in UTF-8; the end of a sentence.
    """
    with source.open("rb") as file:
        head = file.read(HEAD)
    if head.startswith(PARQUET):
        return ""
    if b"\0" in head or head.startswith(UTF_16):
        raise ValueError(
            "not text in UTF-8, but UTF-16, an Excel workbook or the like. Save it as CSV in UTF-8."
        )
    line = next((line for line in _lines(source) if re.search(r"\w", line)), "")

    def columns(delimiter: str) -> tuple[int, int]:
        line_rows = csv.reader([line[:LONGEST_HEADER]], delimiter=delimiter, skipinitialspace=True)
        names = next(line_rows, [])
        return len({plain(name) for name in names} & {*known}), len(names)

    return max(DELIMITERS, key=columns)


def text_rows(source: Path, delimiter: str) -> Iterator[Row]:
    """The header, then each row that is not blank; ValueError where a row is not CSV."""
    # strict: a quote that is never closed would else swallow the rest of the file as one cell
    rows = csv.reader(_lines(source), delimiter=delimiter, skipinitialspace=True, strict=True)
    begin = 1
    try:
        for cells in rows:
            if any(cell.strip() for cell in cells):
                yield f"line {rows.line_num}", cells
            begin = rows.line_num + 1
    except csv.Error as error:
        raise ValueError(
            f"line {begin}: the row that begins here is not CSV ({error}). Close its quotes, and "
            'double those within text: "a ""b"" c".'
        ) from error


def _lines(source: Path) -> Iterator[str]:
    """Lines with their ends; the line `sep=;`, which Excel understands, as a blank one."""
    with source.open(encoding="utf-8-sig", newline="") as file:
        try:
            for index, line in enumerate(file):
                yield "\n" if index == 0 and line.lower().startswith("sep=") else line
        except UnicodeDecodeError as error:
            byte = error.object[error.start]
            raise ValueError(f"not text in UTF-8 (byte {byte:#04x}). Save it as UTF-8.") from error


def parquet_rows(source: Path, known: Collection[str]) -> Iterator[Row]:
    """The header, then each row; cells of columns that are not known are None and not read.

    Raises
    ------
    ValueError : the file is damaged, or pyarrow is missing; the end of a sentence.
    """
    try:
        import pyarrow as pa  # here, since the Snakefile asks this module where it may be missing
        import pyarrow.parquet as pq
    except ImportError as error:
        raise ValueError("Parquet needs pyarrow, which is missing. Save it as CSV.") from error
    faults = (pa.ArrowException, OSError, OverflowError, UnicodeDecodeError)
    try:
        with pq.ParquetFile(source) as file:
            names = file.schema_arrow.names
            yield "header", names
            times = Counter(names)  # a name that stands there twice is of no one column
            wanted = [name for name in names if plain(name) in known and times[name] == 1]
            count = 0
            for batch in file.iter_batches(BATCH, columns=wanted):
                for cells in zip(*_columns(batch, names), strict=True):
                    count += 1
                    yield f"row {count}", cells
    except faults as error:
        reason = " ".join(str(error).split())[:200]  # pyarrow's have several lines
        raise ValueError(f"not a whole Parquet file ({reason}). Write it again.") from error


def _columns(batch: Any, names: Sequence[str]) -> list[list[Any]]:
    """A list of cells for each name."""
    nothing = [None] * batch.num_rows
    have = set(batch.schema.names)
    return [batch.column(name).to_pylist() if name in have else nothing for name in names]
