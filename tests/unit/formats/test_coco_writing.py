import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stages.formats.coco_writing import write_coco
from stages.tables.categories import CATEGORIES
from stages.tables.images import IMAGES
from stages.tables.table import empty_table, rows_table, table_of
from tests.sound_rows import image_row

IMAGE_ROWS = [
    image_row(4, file_name="a.png", height=3, width=8),
    image_row(7, file_name="b.png", height=5, width=9),
]
NAMES = {"category_id": [1], "name": ["cat"], "supercategory": [""]}


def test_no_rows_give_empty_lists(tmp_path: Path) -> None:
    path = tmp_path / "coco.json"
    with path.open("w") as file:
        write_coco(file, {}, empty_table(IMAGES), empty_table(CATEGORIES), iter([]))
    assert json.loads(path.read_text()) == {
        "info": {},
        "licenses": [],
        "images": [],
        "categories": [],
        "annotations": [],
        "counts": {"images": 0, "categories": 0, "annotations": 0},
    }


def test_each_entry_is_on_a_line_of_its_own_and_written_before_the_next_is_made(
    tmp_path: Path,
) -> None:
    images = rows_table(IMAGES, IMAGE_ROWS)
    path = tmp_path / "coco.json"
    with path.open("w") as file:

        def annotations() -> Iterator[dict[str, Any]]:
            for number in (1, 2):
                file.flush()
                assert f'{{"id": {number}}}' not in path.read_text()
                assert number == 1 or '{"id": 1}' in path.read_text()
                yield {"id": number}

        write_coco(file, {"b": 1, "a": 2}, images, table_of(CATEGORIES, NAMES), annotations())
    lines = path.read_text().splitlines()
    assert '{"id": 4, "file_name": "a.png", "height": 3, "width": 8},' in lines
    assert '{"id": 1, "name": "cat", "supercategory": ""}' in lines
    assert lines[-4:] == [
        *('{"id": 1},', '{"id": 2}', "],"),
        '"counts": {"images": 2, "categories": 1, "annotations": 2}}',
    ]
    assert lines[0] == '{"info": {"a": 2, "b": 1},'


def test_a_number_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    tables = empty_table(IMAGES), empty_table(CATEGORIES)
    with (tmp_path / "coco.json").open("w") as file, pytest.raises(ValueError, match="JSON"):
        write_coco(file, {}, *tables, iter([{"score": float("nan")}]))
