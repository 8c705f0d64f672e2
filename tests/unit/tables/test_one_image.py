"""One image out of a table: its rows alone, from its row group alone."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages.tables.one_image import groups_of, rows_of_image
from stages.tables.table import rows_table, write_table
from stages.tables.trail import TRAIL
from tests.sound_rows import trail_row, write_unchecked


def _table(images: list[int], each: int) -> pa.Table:
    return rows_table(TRAIL, [trail_row(image, k) for image in images for k in range(each)])


@pytest.mark.parametrize(
    ("images", "each", "asked", "rows", "groups"),
    [
        ([], 0, 17, 0, 0),
        ([17], 1, 17, 1, 1),
        (list(range(40)), 100, 17, 100, 1),
        (list(range(40)), 100, 40, 0, 0),  # beyond the last
        (list(range(0, 80, 2)), 100, 17, 0, 1),  # a gap within a row group
        ([3, 17, 20], 4000, 17, 4000, 1),
    ],
    ids=["no rows", "one", "many", "beyond", "a gap", "large images"],
)
def test_an_image_is_read_alone_out_of_one_row_group_at_most(
    tmp_path: Path, images: list[int], each: int, asked: int, rows: int, groups: int
) -> None:
    write_table(tmp_path / "t", _table(images, each), TRAIL, {})
    found = rows_of_image(tmp_path / "t", TRAIL, asked)
    assert found.equals(_table([asked] * bool(rows), rows))
    assert len(groups_of(pq.read_metadata(tmp_path / "t"), asked)) == groups


def test_a_table_without_statistics_is_read_whole(tmp_path: Path) -> None:
    write_unchecked(tmp_path / "t", TRAIL, _table([1, 2], 2))
    bare = pq.read_table(tmp_path / "t")
    pq.write_table(bare, tmp_path / "t", write_statistics=False, row_group_size=2)
    assert groups_of(pq.read_metadata(tmp_path / "t"), 1) == [0, 1]
    assert rows_of_image(tmp_path / "t", TRAIL, 2).equals(_table([2], 2))


def test_a_missing_and_a_damaged_table_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="this file is missing"):
        rows_of_image(tmp_path / "t", TRAIL, 1)
    (tmp_path / "t").write_bytes(b"no table")
    with pytest.raises(ValueError, match="not a Parquet file"):
        rows_of_image(tmp_path / "t", TRAIL, 1)


def test_unsound_rows_are_refused(tmp_path: Path) -> None:
    odd = pa.concat_tables([_table([1], 2), _table([1], 1)])
    write_unchecked(tmp_path / "t", TRAIL, odd)
    with pytest.raises(ValueError, match="rows must rise by"):
        rows_of_image(tmp_path / "t", TRAIL, 1)
