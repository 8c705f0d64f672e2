"""The folder of the results: written, renamed in, and left as it was."""

import os
from pathlib import Path
from typing import Any

import pytest

from stages.checkup.folders import folders_found, free_found, nearest


def test_a_sound_folder_is_left_as_it_was(tmp_path: Path) -> None:
    found = list(folders_found(tmp_path / "results"))
    assert [finding.what for finding in found] == ["disk", "writing", "renaming", "links"]
    assert {finding.state for finding in found} == {"ok"}
    assert list(tmp_path.iterdir()) == []


def test_the_nearest_folder_above_counts(tmp_path: Path) -> None:
    assert nearest(tmp_path) == tmp_path
    assert nearest(tmp_path / "a" / "b") == tmp_path


def _refused(*_: Any, **__: Any) -> None:
    raise PermissionError(1, "Operation not permitted")


def test_a_folder_that_cannot_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.mkdtemp", _refused)
    last = list(folders_found(tmp_path))[-1]
    assert (last.state, last.what) == ("wrong", "writing")
    assert "chmod u+rwx" in last.remedy


def test_a_file_system_that_cannot_rename_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "replace", _refused)
    monkeypatch.setattr(Path, "symlink_to", _refused)
    found = {finding.what: finding for finding in folders_found(tmp_path)}
    assert found["renaming"].state == "wrong"
    assert "Operation not permitted" in found["renaming"].seen
    assert found["links"].state == "absent"


def test_a_full_disk_is_told() -> None:
    assert free_found(Path("x"), 0.2).state == "wrong"
    assert free_found(Path("x"), 50.0).state == "ok"
