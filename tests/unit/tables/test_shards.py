"""Shards that belong together."""

from pathlib import Path
from typing import Any

import pytest

from stages.tables.record import Record
from stages.tables.shards import check_members, rows_digest, whole_set
from stages.tables.table import rows_table
from stages.tables.trail import TRAIL
from tests.sound_rows import trail_row, write_rows, write_shards

ROWS = [trail_row(1), trail_row(2), trail_row(4)]


def shards(folder: Path, count: int, **header: Any) -> list[Path]:
    return write_shards(folder, "trail", TRAIL, ROWS, count, **header)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_whole_set_has_the_header_that_its_shards_share(tmp_path: Path, count: int) -> None:
    paths = shards(tmp_path, count, settings={"a": 1})
    wanted = {"schema": "trail", "version": TRAIL.version, "seed": 3, "settings": {"a": 1}}
    assert whole_set(paths, TRAIL) == wanted
    assert whole_set(paths[::-1], TRAIL) == wanted


@pytest.mark.parametrize(
    "numbers", [[0], [1, 2], [0, 1, 1], [0, 1, 2, 2]], ids=["one", "two", "one twice", "surplus"]
)
def test_a_set_that_is_not_whole_is_refused(tmp_path: Path, numbers: list[int]) -> None:
    paths = shards(tmp_path, 3)
    with pytest.raises(ValueError, match="table trail needs each of its 3 shards once"):
        whole_set([paths[number] for number in numbers], TRAIL)


def test_shards_of_two_counts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"0000-of-0002, 0001-of-0003, .* Give all shards of one"):
        whole_set([shards(tmp_path, 2)[0], *shards(tmp_path, 3)[1:]], TRAIL)


def test_a_table_that_is_no_shard_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Give all shards of one count"):
        whole_set([write_rows(tmp_path / "t", TRAIL, ROWS)], TRAIL)


@pytest.mark.parametrize(
    "header", [{"seed": 4}, {"settings": {"a": 2}}, {"code": ["b@1"]}, {"model": "ab"}]
)
def test_shards_that_were_made_otherwise_are_refused(
    tmp_path: Path, header: dict[str, Any]
) -> None:
    paths = shards(tmp_path, 2, settings={"a": 1})
    write_rows(paths[1], TRAIL, ROWS[:1], **{"settings": {"a": 1}, **header}, shard="0001-of-0002")
    with pytest.raises(ValueError, match=f"made with other {next(iter(header))} than"):
        whole_set(paths, TRAIL)


def test_shards_of_another_table_are_refused(tmp_path: Path) -> None:
    other = Record("other", 1, TRAIL.columns, TRAIL.key)
    with pytest.raises(ValueError, match="holds table trail version 1, but other version 1"):
        whole_set(shards(tmp_path, 1), other)


def test_members_are_the_images_of_the_shard() -> None:
    rows = rows_table(TRAIL, ROWS)
    check_members(rows, [1, 2, 3, 4], Path("t"))
    check_members(rows.slice(0, 0), [], Path("t"))
    with pytest.raises(ValueError, match="t: image 2 is not one of this shard's 2 images"):
        check_members(rows, [1, 4], Path("t"))


def test_a_digest_does_not_depend_on_how_rows_lie_in_memory() -> None:
    table = rows_table(TRAIL, [trail_row(number) for number in range(1, 10)])
    part = table.slice(3, 5)
    assert rows_digest(part) == rows_digest(part.combine_chunks())
    assert rows_digest(part) != rows_digest(table.slice(4, 5))
