"""What a table's file says of itself: read, or refused with what was seen and what to do."""

from collections import deque
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from stages.tables.headers import KEY, ROWS
from stages.tables.images import IMAGES
from stages.tables.streams import images_of_file
from stages.tables.table import read_table, rows_table, write_table
from tests.sound_rows import image_row
from tests.unit.tables.test_faults import REMEDY, refusal

HEADERS: dict[str, tuple[dict[str, str], str]] = {
    "none": ({}, "not one that Maskmill wrote"),
    "no JSON": ({KEY: '{"schema'}, "its header is not one that Maskmill writes"),
    "a list": ({KEY: "[]"}, "its header is not one that Maskmill writes"),
    "too deep": ({KEY: "[" * 100_000}, "its header is not one that Maskmill writes"),
    "no schema": ({KEY: '{"version": 3}'}, "holds table None version 3"),
    "another table": ({KEY: '{"schema": "odd", "version": 3}'}, "holds table odd version 3"),
    "no count": ({KEY: '{"schema": "images", "version": 3}'}, "does not say how many were written"),
    "fewer rows": (
        {KEY: '{"schema": "images", "version": 3}', ROWS: "3"},
        "it holds 2 rows, but 3 were written",
    ),
}


@pytest.mark.parametrize(("header", "words"), HEADERS.values(), ids=HEADERS.keys())
def test_a_header_that_is_not_ours_is_refused(
    tmp_path: Path, header: dict[str, str], words: str
) -> None:
    path, table = tmp_path / "t", rows_table(IMAGES, [image_row(1), image_row(2)])
    pq.write_table(table.replace_schema_metadata(header), path)
    for call in (partial(read_table, path, IMAGES), partial(deque, images_of_file(path, IMAGES))):
        assert refusal(call, f"{path}: .*{words}.*{REMEDY}") == ""


def test_a_flipped_byte_of_any_page_is_refused(tmp_path: Path) -> None:
    table = rows_table(IMAGES, [image_row(number) for number in range(1, 50)])
    write_table(tmp_path / "t", table, IMAGES, {})
    data = bytearray((tmp_path / "t").read_bytes())
    last = pq.read_metadata(tmp_path / "t").row_group(0).column(len(IMAGES.columns) - 1)
    end = last.data_page_offset + last.total_compressed_size - 1
    passed = []
    for place in range(4, end, 7):
        spoilt = data.copy()
        spoilt[place] ^= 0xFF
        (tmp_path / "t").write_bytes(spoilt)
        if refusal(partial(read_table, tmp_path / "t", IMAGES), REMEDY):
            passed.append(place)
    assert passed == []
