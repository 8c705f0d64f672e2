"""Small files beside the results."""

from pathlib import Path

import pytest

from stages.planning.notes import add_notes, read_notes


@pytest.mark.parametrize("text", [None, "", "[1]", '{"a": 1', "\x00"])
def test_a_missing_or_damaged_file_holds_nothing(text: str | None, tmp_path: Path) -> None:
    path = tmp_path / "notes.json"
    if text is not None:
        path.write_text(text)
    assert read_notes(path) == {}
    add_notes(path, {"a": 1})
    assert read_notes(path) == {"a": 1}


def test_notes_are_added_to_those_that_are_there(tmp_path: Path) -> None:
    path = tmp_path / "results" / "notes.json"
    add_notes(path, {"a": {"x": "1"}, "b": 2})
    add_notes(path, {"a": {"y": "2"}})
    assert read_notes(path) == {"a": {"y": "2"}, "b": 2}


def test_what_is_noted_already_is_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "notes.json"
    add_notes(path, {"a": 1})
    before = path.stat()
    add_notes(path, {"a": 1})
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
