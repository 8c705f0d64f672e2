from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from stages.runtime.progress import Progress
from stages.runtime.unfinished import parts_folder
from stages.tables.images import IMAGES
from stages.tables.in_parts import write_in_parts
from stages.tables.table import table_of

IDS = list(range(7))


def _row(image_id: int) -> pa.Table:
    return table_of(
        IMAGES,
        {
            "image_id": [image_id],
            "file_name": [f"{image_id}.png"],
            "height": [4],
            "width": [4],
            "shard": [0],
        },
    )


def _write(
    out: Path, compute: Callable[[int], pa.Table], ids: list[int] = IDS, **facts: object
) -> pa.Table:
    return write_in_parts(
        out,
        IMAGES,
        ids,
        compute,
        provenance={"seed": 0, **facts},
        chunk=2,
        progress=Progress("test", len(ids)),
    )


class Dying:
    """Computes rows until it has been asked for `limit` images."""

    def __init__(self, limit: int):
        self.limit, self.asked = limit, list[int]()

    def __call__(self, image_id: int) -> pa.Table:
        if len(self.asked) == self.limit:
            raise MemoryError
        self.asked.append(image_id)
        return _row(image_id)


def test_no_images_give_an_empty_table(tmp_path: Path) -> None:
    assert len(_write(tmp_path / "t", _row, [])) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["t"]


def test_parts_give_the_whole_and_go(tmp_path: Path) -> None:
    table = _write(tmp_path / "t", _row)
    assert table.column("image_id").to_pylist() == IDS
    assert [path.name for path in tmp_path.iterdir()] == ["t"]


@pytest.mark.parametrize(("limit", "redone"), [(0, 7), (1, 7), (2, 5), (5, 3), (6, 1)])
def test_a_killed_shard_resumes_and_gives_the_same_bytes(
    limit: int, redone: int, tmp_path: Path
) -> None:
    _write(tmp_path / "whole", _row)
    with pytest.raises(MemoryError):
        _write(tmp_path / "killed", Dying(limit))
    assert not (tmp_path / "killed").exists()
    second = Dying(99)
    _write(tmp_path / "killed", second)
    assert len(second.asked) == redone
    assert (tmp_path / "killed").read_bytes() == (tmp_path / "whole").read_bytes()


def test_parts_of_other_settings_are_never_mixed_in(tmp_path: Path) -> None:
    with pytest.raises(MemoryError):
        _write(tmp_path / "t", Dying(4), setting=1)
    second = Dying(99)
    _write(tmp_path / "t", second, setting=2)
    assert second.asked == IDS


def test_parts_of_other_inputs_are_never_mixed_in(tmp_path: Path) -> None:
    source = tmp_path / "source"
    options = {"provenance": {}, "chunk": 2, "progress": Progress("test", 7), "inputs": [source]}
    source.write_text("first")
    with pytest.raises(MemoryError):
        write_in_parts(tmp_path / "t", IMAGES, IDS, Dying(4), **options)  # type: ignore[arg-type]
    source.write_text("second")
    second = Dying(99)
    write_in_parts(tmp_path / "t", IMAGES, IDS, second, **options)  # type: ignore[arg-type]
    assert second.asked == IDS


def test_only_the_parts_folder_of_the_present_facts_stays(tmp_path: Path) -> None:
    first = parts_folder(tmp_path / "t", {"seed": 0}, [1])
    second = parts_folder(tmp_path / "t", {"seed": 1}, [1])
    assert not first.exists()
    assert second.is_dir()
    assert parts_folder(tmp_path / "t", {"seed": 1}, [1]) == second
