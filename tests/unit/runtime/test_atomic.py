from pathlib import Path

import pytest

from stages.runtime.atomic import replacing, replacing_folder, write_bytes, write_text


def test_write_makes_the_folder_and_the_file(tmp_path: Path) -> None:
    write_text(tmp_path / "new" / "file.txt", "süß")
    assert (tmp_path / "new" / "file.txt").read_bytes() == "süß".encode()


def _fail_half_way(path: Path) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(b"half")
        raise KeyError


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_bytes(path, b"old")
    with pytest.raises(KeyError):
        _fail_half_way(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with replacing(path) as temporary:
        temporary.write_bytes(b"half")
        assert not path.exists()
        assert temporary.parent == path.parent
    assert path.read_bytes() == b"half"


def test_the_rest_of_a_killed_writer_goes_with_the_next_write(tmp_path: Path) -> None:
    path = tmp_path / "odd[name]"
    (tmp_path / ".odd[name].4711.tmp").write_bytes(b"rest")
    other = tmp_path / ".oddn.4711.tmp"
    other.write_bytes(b"another file's")
    write_bytes(path, b"whole")
    assert sorted(tmp_path.iterdir()) == sorted([path, other])


def test_writing_nothing_is_our_fault(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="nothing was written"), replacing(tmp_path / "file"):
        pass


def _fail_within(path: Path) -> None:
    with replacing_folder(path) as folder:
        (folder / "new").touch()
        raise KeyError


def test_a_folder_is_there_whole_or_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "folder"
    with replacing_folder(path) as folder:
        (folder / "old").touch()
        assert not path.exists()
    with pytest.raises(KeyError):
        _fail_within(path)
    assert [file.name for file in path.iterdir()] == ["old"]
    with replacing_folder(path) as folder:
        (folder / "new").touch()
    assert [file.name for file in path.iterdir()] == ["new"]
    assert list(path.parent.iterdir()) == [path]


def test_the_folder_of_a_killed_writer_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".folder.123.tmp" / "inner").mkdir(parents=True)
    with replacing_folder(tmp_path / "folder"):
        assert not (tmp_path / ".folder.123.tmp").exists()


def test_a_file_is_not_replaced_by_a_folder(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("mine")
    with (
        pytest.raises(ValueError, match="a file, where a folder"),
        replacing_folder(tmp_path / "folder"),
    ):
        pass
    assert (tmp_path / "folder").read_text() == "mine"
