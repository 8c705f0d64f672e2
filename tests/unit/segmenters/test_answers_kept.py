"""Answers kept from run to run: asked once, at an address of all that they depend on."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from stages.segmenters.answers_kept import Kept, address_of, list_path
from stages.tables.categories import CATEGORIES
from stages.tables.table import table_of, write_table
from stages.tables.zoomed import ZOOMED

FACTS = {"settings": {"clean": 0.25}, "seed": 0}


@pytest.fixture
def kept(tmp_path: Path) -> Callable[..., Kept]:
    """The answers of a shard of the run at `tmp_path`."""

    def made(stage: str = "propose", **facts: Any) -> Kept:
        out = tmp_path / stage / "shard-0000-of-0001.parquet"
        return Kept(tmp_path / "answers", out, ZOOMED, {**FACTS, **facts})

    return made


def answer(image_id: int) -> pa.Table:
    sizes = {"height": [4], "width": [5]}
    box = {"box": [[0, 0, 2, 2]], "rle": [b"d0"]}
    return table_of(ZOOMED, {"image_id": [image_id], "question": [0], **box, **sizes})


def never() -> pa.Table:
    raise AssertionError("was asked again")


def files(folder: Path) -> list[Path]:
    return sorted((folder / "answers").glob("??/*"))


def test_a_shard_that_asks_nothing_lists_nothing(kept: Callable[..., Kept], tmp_path: Path) -> None:
    kept().finish()
    path = tmp_path / "answers" / "lists" / "propose" / "shard-0000-of-0001.txt"
    assert path.read_text() == ""


def test_an_answer_is_asked_for_once(kept: Callable[..., Kept], tmp_path: Path) -> None:
    first, again = kept(), kept("home/refine")
    seen = first.of({"digest": "a"}, lambda: answer(3))
    assert again.of({"digest": "a"}, never).equals(seen)
    assert (first.asked, first.found, again.asked, again.found) == (1, 0, 0, 1)
    (path,) = files(tmp_path)
    address = address_of(FACTS, {"digest": "a"})
    assert (path.parent.name, path.stem) == (address[:2], address)


@pytest.mark.parametrize(
    ("facts", "parts"),
    [
        ({"seed": 1}, {}),
        ({"settings": {"clean": 0.0}}, {}),
        ({}, {"digest": "b"}),
        ({}, {"ids": 1}),
    ],
)
def test_whatever_differs_is_another_address(
    facts: dict[str, Any], parts: dict[str, Any], kept: Callable[..., Kept], tmp_path: Path
) -> None:
    kept().of({"digest": "a"}, lambda: answer(3))
    kept(**facts).of({"digest": "a", **parts}, lambda: answer(3))
    assert len(files(tmp_path)) == 2


def test_the_order_of_keys_is_no_difference() -> None:
    one, other = {"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"d": 3, "c": 2}, "a": 1}
    assert address_of(one, {}) == address_of(other, {})
    assert address_of(one, {}) != address_of({}, one)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def garbled(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4:60] = b"x" * 56
    path.write_bytes(bytes(data))


def of_another(path: Path) -> None:
    other = address_of(FACTS, {"digest": "another"})
    write_table(path, answer(4), ZOOMED, {"address": other})


def another_table(path: Path) -> None:
    columns = {"category_id": [1], "name": ["a"], "supercategory": [""]}
    facts = {"address": path.stem}
    write_table(path, table_of(CATEGORIES, columns), CATEGORIES, facts)


@pytest.mark.parametrize("damage", [cut, emptied, garbled, of_another, another_table])
def test_a_damaged_answer_is_asked_again(
    damage: Callable[[Path], None],
    kept: Callable[..., Kept],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    kept().of({"digest": "a"}, lambda: answer(3))
    whole = files(tmp_path)[0].read_bytes()
    damage(files(tmp_path)[0])
    again = kept()
    assert again.of({"digest": "a"}, lambda: answer(3)).equals(answer(3))
    assert again.asked == 1
    assert "asked again" in capsys.readouterr().err
    assert [path.read_bytes() for path in files(tmp_path)] == [whole]


def test_two_jobs_may_ask_the_same_at_once(kept: Callable[..., Kept], tmp_path: Path) -> None:
    first, second = kept(), kept("home/refine")

    def meanwhile() -> pa.Table:
        return second.of({"digest": "a"}, lambda: answer(3))

    assert first.of({"digest": "a"}, meanwhile).equals(answer(3))
    assert (first.asked, second.asked) == (1, 1)
    assert len(files(tmp_path)) == 1


def test_a_question_that_fails_leaves_no_answer(kept: Callable[..., Kept], tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="asked again"):
        kept().of({"digest": "a"}, never)
    assert files(tmp_path) == []


def test_the_list_holds_what_an_interrupted_run_had_used_before(
    kept: Callable[..., Kept], tmp_path: Path
) -> None:
    interrupted = kept()
    interrupted.of({"digest": "a"}, lambda: answer(3))
    resumed = kept()  # whose finished parts ask for nothing
    resumed.of({"digest": "b"}, lambda: answer(4))
    resumed.finish()
    wanted = sorted(address_of(FACTS, {"digest": digest}) for digest in "ab")
    assert resumed.list.read_text().split() == wanted
    assert not resumed.partial.exists()
    kept().finish()
    assert resumed.list.read_text() == ""


def test_answers_move_with_their_run(kept: Callable[..., Kept], tmp_path: Path) -> None:
    kept().of({"digest": "a"}, lambda: answer(3))
    moved = tmp_path / "moved"
    shutil.copytree(tmp_path / "answers", moved / "answers")
    out = moved / "propose" / "shard-0000-of-0004.parquet"
    assert Kept(moved / "answers", out, ZOOMED, FACTS).of({"digest": "a"}, never).num_rows == 1
    assert str(tmp_path) not in json.dumps([str(p.relative_to(moved)) for p in files(moved)])


def test_answers_lie_in_the_run_of_their_shard(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must lie beside it"):
        list_path(tmp_path / "other" / "answers", tmp_path / "run" / "shard-0000-of-0001.parquet")
