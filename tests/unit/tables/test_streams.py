"""Tables read image by image over all shards: every row once, in order, little at a time."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from stages.tables import table as records
from stages.tables.streams import Cursor, images_of_file, images_of_shards
from stages.tables.weak_labels import WEAK_LABELS
from tests.sound_rows import label_row, write_rows


def write(path: Path, image_ids: list[int], each: int = 3) -> Path:
    rows = [label_row(image, number) for image in image_ids for number in range(each)]
    return write_rows(path, WEAK_LABELS, rows)


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
    assert rows.column_names == ["image_id", "label_id", "x"]  # the key is always there


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


def test_images_that_do_not_rise_over_row_groups_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each group is sound by itself; only their order is not."""
    monkeypatch.setattr(records, "ROWS_PER_GROUP", 1)
    monkeypatch.setattr(records, "validate", lambda *args, **options: None)
    rows = [label_row(5), label_row(2)]
    path = write_rows(tmp_path / "a.parquet", WEAK_LABELS, rows)
    with pytest.raises(ValueError, match="image 2 comes after image 5"):
        list(images_of_file(path, WEAK_LABELS))
