"""Tables read image by image over all shards: every row once, in order, little at a time."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from stages.tables import table as records
from stages.tables.images import IMAGES
from stages.tables.streams import Cursor, images_of_file, images_of_shards, shard_images
from stages.tables.table import empty_table, table_of, write_table
from stages.tables.weak_labels import WEAK_LABELS


def write(path: Path, image_ids: list[int], each: int = 3) -> Path:
    pairs = [(image, number) for image in image_ids for number in range(each)]
    count = len(pairs)
    rows = {
        "image_id": [image for image, _ in pairs],
        "instance_id": [number for _, number in pairs],
        "category_id": [1] * count,
        "kind": ["point"] * count,
        "x": [1.0] * count,
        "y": [2.0] * count,
        "box": [None] * count,
    }
    table = table_of(WEAK_LABELS, rows) if pairs else empty_table(WEAK_LABELS)
    write_table(path, table, WEAK_LABELS, {})
    return path


def test_an_empty_table_yields_nothing(tmp_path: Path) -> None:
    assert list(images_of_file(write(tmp_path / "a.parquet", []), WEAK_LABELS)) == []
    assert list(images_of_shards([], WEAK_LABELS)) == []


@pytest.mark.parametrize("rows_per_group", [1, 4, 1500])
def test_images_of_a_file_are_whole_whatever_the_row_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows_per_group: int
) -> None:
    monkeypatch.setattr(records, "ROWS_PER_GROUP", rows_per_group)
    path = write(tmp_path / "a.parquet", [2, 5, 9])
    groups = pq.read_metadata(path).num_row_groups
    assert groups == {1: 3, 4: 2, 1500: 1}[rows_per_group]
    found = [(image, len(rows)) for image, rows in images_of_file(path, WEAK_LABELS)]
    assert found == [(2, 3), (5, 3), (9, 3)]


def test_shards_are_merged_in_the_order_of_images(tmp_path: Path) -> None:
    paths = [
        write(tmp_path / f"{k}.parquet", ids) for k, ids in enumerate([[1, 4, 7], [2, 8], [], [3]])
    ]
    found = [image for image, _ in images_of_shards(paths, WEAK_LABELS)]
    assert found == [1, 2, 3, 4, 7, 8]


def test_only_the_wanted_columns_are_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", [1])
    _, rows = next(images_of_file(path, WEAK_LABELS, columns=["image_id", "x"]))
    assert rows.column_names == ["image_id", "x"]


def test_an_image_in_two_shards_is_refused(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{k}.parquet", [1, 2]) for k in range(2)]
    with pytest.raises(ValueError, match="image 1 is in two shards"):
        list(images_of_shards(paths, WEAK_LABELS))


def test_a_cursor_skips_what_is_not_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", [2, 5, 9])
    cursor = Cursor(images_of_file(path, WEAK_LABELS))
    found = [cursor.rows(image) for image in (1, 2, 2, 3, 9, 10)]
    assert [None if rows is None else len(rows) for rows in found] == [None, 3, 3, None, 3, None]


def test_a_missing_shard_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="missing"):
        list(images_of_shards([tmp_path / "none.parquet"], WEAK_LABELS))


def test_a_shard_is_found_by_its_name(tmp_path: Path) -> None:
    columns = {"image_id": [1, 2, 3], "file_name": ["a", "b", "c"]}
    columns |= {"height": [4] * 3, "width": [5] * 3, "shard": [0, 2, 0]}
    write_table(tmp_path / "images.parquet", table_of(IMAGES, columns), IMAGES, {})
    for name, wanted in (("0000-of-0003", [1, 3]), ("0001-of-0003", []), ("0002-of-0003", [2])):
        rows = shard_images(tmp_path / "images.parquet", name)
        assert rows.column("image_id").to_pylist() == wanted
