"""Resuming inside a shard, with one table and with two: equal bytes, and nothing of others."""

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Barrier

import pyarrow as pa
import pytest

from stages.runtime.progress import Progress
from stages.runtime.unfinished import parts_folder
from stages.tables.in_parts import Compute, write_in_parts
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.table import read_table, rows_table
from stages.tables.trail import TRAIL
from tests.sound_rows import pseudo_label_row, trail_row

IDS = list(range(7))


def _row(image_id: int) -> tuple[pa.Table, pa.Table]:
    """One pseudo-label and as many steps as the image's number; image 0 has none."""
    steps = [trail_row(image_id, 3, step) for step in range(image_id)]
    labels = rows_table(PSEUDO_LABELS, [pseudo_label_row(image_id)])
    return labels, rows_table(TRAIL, steps)


def _write(
    folder: Path,
    compute: Compute,
    ids: Sequence[int] = IDS,
    inputs: Sequence[Path] = (),
    at_once: int = 1,
    **facts: object,
) -> list[pa.Table]:
    return write_in_parts(
        [(folder / "labels", PSEUDO_LABELS), (folder / "trail", TRAIL)],
        ids,
        compute,
        provenance={"seed": 0, **facts},
        chunk=2,
        progress=Progress("test", len(ids)),
        inputs=inputs,
        at_once=at_once,
    )


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class Dying:
    """Computes rows until it has been asked for `limit` images."""

    def __init__(self, limit: int):
        self.limit, self.asked = limit, list[int]()

    def __call__(self, image_id: int) -> tuple[pa.Table, pa.Table]:
        if len(self.asked) == self.limit:
            raise MemoryError
        self.asked.append(image_id)
        return _row(image_id)


def test_no_images_give_empty_tables_without_asking(tmp_path: Path) -> None:
    assert [len(table) for table in _write(tmp_path, Dying(0), [])] == [0, 0]
    assert _names(tmp_path) == ["labels", "trail"]


def test_parts_give_the_wholes_and_go(tmp_path: Path) -> None:
    labels, trail = _write(tmp_path, _row)
    assert labels.column("image_id").to_pylist() == IDS
    assert trail.column("image_id").to_pylist() == [k for k in IDS for _ in range(k)]
    whole = read_table(tmp_path / "labels", PSEUDO_LABELS)
    assert whole.select(labels.column_names).equals(labels)
    assert set(whole.column_names) - set(labels.column_names) == {"rle", "extra_rles", "ignore_rle"}
    assert read_table(tmp_path / "trail", TRAIL).equals(trail)
    assert _names(tmp_path) == ["labels", "trail"]


@pytest.mark.parametrize(("limit", "redone"), [(0, 7), (1, 7), (2, 5), (5, 3), (6, 1)])
def test_a_killed_shard_resumes_and_gives_the_same_bytes(
    limit: int, redone: int, tmp_path: Path
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir(), killed.mkdir()
    _write(whole, _row)
    with pytest.raises(MemoryError):
        _write(killed, Dying(limit))
    assert not {"labels", "trail"} & set(_names(killed))
    second = Dying(99)
    _write(killed, second)
    assert len(second.asked) == redone
    for name in ("labels", "trail"):
        assert (killed / name).read_bytes() == (whole / name).read_bytes()


class Meeting:
    """Computes rows of an image once another one is in work too."""

    def __init__(self, parties: int):
        self.barrier = Barrier(parties, timeout=30)

    def __call__(self, image_id: int) -> tuple[pa.Table, pa.Table]:
        self.barrier.wait()
        return _row(image_id)


def test_images_at_once_are_in_work_together_and_give_the_same_bytes(tmp_path: Path) -> None:
    alone, together = tmp_path / "alone", tmp_path / "together"
    alone.mkdir(), together.mkdir()
    _write(alone, _row, IDS[:6])
    _write(together, Meeting(2), IDS[:6], at_once=2)  # never ends where they come one by one
    for name in ("labels", "trail"):
        assert (together / name).read_bytes() == (alone / name).read_bytes()


def test_a_fault_among_images_at_once_keeps_the_parts_before(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir(), killed.mkdir()
    _write(whole, _row)
    with pytest.raises(MemoryError):
        _write(killed, Dying(4), at_once=3)
    second = Dying(99)
    _write(killed, second, at_once=3)
    assert 3 <= len(second.asked) <= 5
    assert (killed / "trail").read_bytes() == (whole / "trail").read_bytes()


def test_a_part_without_its_second_table_is_made_again(tmp_path: Path) -> None:
    """The part of the first table is written last, so it alone says that a chunk is done."""
    with pytest.raises(MemoryError):
        _write(tmp_path, Dying(4))
    (folder,) = next(path for path in tmp_path.iterdir()).iterdir()
    first = folder / "part-000001.parquet"
    assert first.exists()
    assert (folder / "part-000001-trail.parquet").exists()
    first.unlink()
    second = Dying(99)
    _write(tmp_path, second)
    assert second.asked == IDS[2:]


def test_parts_of_other_settings_are_never_mixed_in(tmp_path: Path) -> None:
    with pytest.raises(MemoryError):
        _write(tmp_path, Dying(4), setting=1)
    second = Dying(99)
    _write(tmp_path, second, setting=2)
    assert second.asked == IDS


def test_parts_of_other_inputs_are_never_mixed_in(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    source = tmp_path / "source"
    source.write_text("first")
    with pytest.raises(MemoryError):
        _write(tmp_path / "out", Dying(4), inputs=[source])
    source.write_text("second")
    second = Dying(99)
    _write(tmp_path / "out", second, inputs=[source])
    assert second.asked == IDS


DAMAGES: dict[str, Callable[[Path, Path], object]] = {
    "emptied": lambda part, other: part.write_bytes(b""),
    "cut": lambda part, other: part.write_bytes(part.read_bytes()[:-9]),
    "text": lambda part, other: part.write_bytes(b"half"),
    "of other images": lambda part, other: part.write_bytes(other.read_bytes()),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
@pytest.mark.parametrize("table", ["", "-trail"], ids=["labels", "trail"])
def test_a_damaged_part_is_made_again_and_that_is_said(
    tmp_path: Path,
    table: str,
    damage: Callable[[Path, Path], object],
    capsys: pytest.CaptureFixture[str],
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir(), killed.mkdir()
    _write(whole, _row)
    with pytest.raises(MemoryError):
        _write(killed, Dying(6))
    (folder,) = next(path for path in killed.iterdir()).iterdir()
    parts = [folder / f"part-00000{number}{table}.parquet" for number in (1, 2)]
    damage(*parts)
    second = Dying(99)
    _write(killed, second)
    assert second.asked == [2, 3, 6]
    assert f"a finished part is damaged, so it is made again: {parts[0]}" in capsys.readouterr().err
    for name in ("labels", "trail"):
        assert (killed / name).read_bytes() == (whole / name).read_bytes()


def test_only_the_parts_folder_of_the_present_facts_stays(tmp_path: Path) -> None:
    first = parts_folder(tmp_path / "t", {"seed": 0}, [1])
    second = parts_folder(tmp_path / "t", {"seed": 1}, [1])
    assert not first.exists()
    assert second.is_dir()
    assert parts_folder(tmp_path / "t", {"seed": 1}, [1]) == second
