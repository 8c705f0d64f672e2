"""Other content is noticed, whatever the dates say; a touch or a copy changes nothing."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from stages.formats.format import FORMATS
from stages.planning import watched
from stages.planning.watched import digest_of_files, digest_of_photographs, names_of
from stages.runtime.doors import Method

NAMES = ("a.png", "deep/b.png", "c.png")


@pytest.fixture(autouse=True)
def _old_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of a test count as changed long ago."""
    monkeypatch.setattr(watched, "RECENT", -(10**12))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three photographs."""
    folder = tmp_path / "photographs"
    for name in NAMES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(f"pixels of {name}".encode())
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "results" / "tiny" / "watched.json"


def _touch(folder: Path) -> None:
    for name in NAMES:
        os.utime(folder / name, (1_000_000_000, 1_000_000_000))


def _copy(folder: Path) -> None:
    copy = folder.parent / "copy"
    shutil.copytree(folder, copy)
    shutil.rmtree(folder)
    copy.rename(folder)


def _add(folder: Path) -> None:
    (folder / "thumbnails.db").write_bytes(b"new")


def _edit(folder: Path) -> None:
    (folder / "a.png").write_bytes(b"PIXELS of a.png")


def _edit_with_an_older_date(folder: Path) -> None:
    _edit(folder)
    os.utime(folder / "a.png", (1_000_000_000, 1_000_000_000))


def _replace_with_the_same_date(folder: Path) -> None:
    found = (folder / "a.png").stat()
    (folder / "new").write_bytes(b"PIXELS of a.png")
    os.utime(folder / "new", ns=(found.st_atime_ns, found.st_mtime_ns))
    (folder / "new").replace(folder / "a.png")
    now = (folder / "a.png").stat()
    assert (now.st_size, now.st_mtime_ns) == (found.st_size, found.st_mtime_ns)


def _edit_with_the_same_date(folder: Path) -> None:
    found = (folder / "a.png").stat()
    _edit(folder)
    os.utime(folder / "a.png", ns=(found.st_atime_ns, found.st_mtime_ns))


def _swap(folder: Path) -> None:
    (folder / "a.png").rename(folder / "x")
    (folder / "c.png").rename(folder / "a.png")
    (folder / "x").rename(folder / "c.png")


def _remove(folder: Path) -> None:
    (folder / "a.png").unlink()


Change = Callable[[Path], None]
SAME = (_touch, _copy, _add)
OTHER = (
    _edit,
    _edit_with_an_older_date,
    _edit_with_the_same_date,
    _replace_with_the_same_date,
    _swap,
    _remove,
)


@pytest.mark.parametrize("change", SAME, ids=lambda change: change.__name__[1:])
def test_what_leaves_the_content_leaves_the_digest(
    change: Change, folder: Path, store: Path
) -> None:
    before = digest_of_photographs(folder, NAMES, store=store)
    change(folder)
    assert digest_of_photographs(folder, NAMES, store=store) == before
    store.unlink()
    assert digest_of_photographs(folder, NAMES, store=store) == before


@pytest.mark.parametrize("change", OTHER, ids=lambda change: change.__name__[1:])
def test_other_content_is_another_digest_and_back_again(
    change: Change, folder: Path, store: Path, tmp_path: Path
) -> None:
    shutil.copytree(folder, tmp_path / "kept")
    before = digest_of_photographs(folder, NAMES, store=store)
    change(folder)
    assert digest_of_photographs(folder, NAMES, store=store) != before
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "kept", folder)
    assert digest_of_photographs(folder, NAMES, store=store) == before


def test_only_what_differs_is_read_again(
    folder: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest_of_photographs(folder, NAMES, store=store)
    read: list[str] = []
    whole = watched.hashlib.file_digest

    def counted(file, kind):  # type: ignore[no-untyped-def]
        read.append(os.path.relpath(file.name, folder))
        return whole(file, kind)

    monkeypatch.setattr(watched.hashlib, "file_digest", counted)
    digest_of_photographs(folder, NAMES, store=store)
    assert read == []
    _edit(folder)
    digest_of_photographs(folder, NAMES, store=store)
    assert read == ["a.png"]


def test_the_list_is_written_when_something_changed_and_else_left_alone(
    folder: Path, store: Path
) -> None:
    digest_of_photographs(folder, NAMES, store=store)
    first = store.stat()
    digest_of_photographs(folder, NAMES, store=store)
    assert store.stat() == first
    _edit(folder)
    digest_of_photographs(folder, NAMES, store=store)
    assert store.stat().st_ino != first.st_ino  # replaced, not written over
    assert set(json.loads(store.read_text())["files"][str(folder)]) == set(NAMES)
    assert [path.name for path in store.parent.iterdir()] == [store.name]


def test_a_file_that_has_just_been_written_is_not_listed(
    folder: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched, "RECENT", 10**12)
    digest_of_photographs(folder, NAMES, store=store)
    assert not store.exists()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"files": 3, "names": {}}', '{"files": {"FOLDER": {"a.png": [1]}}}']
)
def test_a_damaged_list_is_made_anew(text: str, folder: Path, store: Path) -> None:
    before = digest_of_photographs(folder, NAMES, store=store)
    good = store.read_text()
    store.write_text(text.replace("FOLDER", str(folder)))
    assert digest_of_photographs(folder, NAMES, store=store) == before
    assert json.loads(store.read_text()) == json.loads(good)


def test_damaged_entries_are_read_anew(folder: Path, store: Path) -> None:
    before = digest_of_photographs(folder, NAMES, store=store)
    values = json.loads(store.read_text())
    values["files"][str(folder)] |= {"a.png": 3, "c.png": [1, 2]}
    store.write_text(json.dumps(values))
    assert digest_of_photographs(folder, NAMES, store=store) == before


def test_order_and_repetition_of_names_do_not_count(folder: Path, store: Path) -> None:
    names = [*reversed(NAMES), NAMES[0]]
    one, two = (digest_of_photographs(folder, some, store=store) for some in (NAMES, names))
    assert one == two


def test_a_name_more_counts_even_where_its_file_is_missing(folder: Path, store: Path) -> None:
    digests = {
        digest_of_photographs(folder, names, store=store)
        for names in ((), NAMES[:1], NAMES, (*NAMES, "missing.png"), (*NAMES, "other.png"))
    }
    assert len(digests) == 5


def test_names_that_lead_out_are_not_read(folder: Path, store: Path) -> None:
    secret = folder.parent / "secret.png"
    secret.write_bytes(b"secret")
    outside = ("../secret.png", str(secret), "deep/../../secret.png", "..")
    alone = digest_of_photographs(folder, NAMES, store=store)
    assert digest_of_photographs(folder, (*NAMES, *outside), store=store) == alone
    assert "secret" not in store.read_text()


def test_what_is_no_file_counts_as_missing(folder: Path, store: Path) -> None:
    os.mkfifo(folder / "pipe.png")
    odd = ("pipe.png", "deep", "null\0.png", "half\ud800.png", "a.png/x")
    found = [digest_of_photographs(folder, [name], store=store) for name in odd]
    assert len(set(found)) == len(odd)


def test_a_row_of_files_has_a_digest_of_its_own(folder: Path, store: Path) -> None:
    a, c = folder / "a.png", folder / "c.png"
    assert digest_of_files([a, c], base=folder, store=store) == digest_of_files(
        [a, c], base=folder.parent, store=store
    )
    sets = ([], [a], [c], [a, c], [c, a], [a, folder / "missing.png"])
    assert len({digest_of_files(paths, base=folder, store=store) for paths in sets}) == len(sets)


@pytest.mark.parametrize("change", [_touch, _remove], ids=lambda change: change.__name__[1:])
def test_with_watch_stat_the_date_counts(change: Change, folder: Path, store: Path) -> None:
    def both() -> set[str]:
        paths = [folder / name for name in NAMES]
        return {
            digest_of_photographs(folder, NAMES, store=store, watch="stat"),
            digest_of_files(paths, base=folder, store=store, watch="stat"),
        }

    before = both()
    assert both() == before
    change(folder)
    assert not both() & before
    assert not store.exists()


def test_with_watch_stat_nothing_is_read(folder: Path, store: Path) -> None:
    before = digest_of_photographs(folder, NAMES, store=store, watch="stat")
    _edit_with_the_same_date(folder)
    assert digest_of_photographs(folder, NAMES, store=store, watch="stat") == before


def test_a_line_is_told_when_it_takes_long(
    folder: Path, store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    digest_of_photographs(folder, NAMES, store=store)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(watched, "TELL_EVERY", -1.0)
    digest_of_photographs(folder, NAMES, store=store)
    assert capsys.readouterr().err == "planning: hashing 3/3 photographs ...\n"


def test_what_was_read_before_an_interruption_is_kept(
    folder: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched, "READERS", 1)
    monkeypatch.setattr(watched, "TOGETHER", 1)
    whole = watched._row

    def interrupted(path: str, known: watched.Row | None) -> watched.Row | None:
        if path.endswith("c.png"):
            raise KeyboardInterrupt
        return whole(path, known)

    monkeypatch.setattr(watched, "_row", interrupted)
    with pytest.raises(KeyboardInterrupt):
        digest_of_photographs(folder, ["a.png", "c.png"], store=store)
    assert set(json.loads(store.read_text())["files"][str(folder)]) == {"a.png"}


def _coco(path: Path, *names: object) -> Path:
    path.write_text(json.dumps({"images": [{"id": 1, "file_name": name} for name in names]}))
    return path


def test_the_names_of_a_coco_file_are_listed_by_its_content(
    tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _coco(tmp_path / "a.json", "b.png", "a.png")
    assert names_of(path, tmp_path, store, read="coco") == ("b.png", "a.png")
    with monkeypatch.context() as patch:
        patch.setattr(watched, "_read_names", lambda *_: pytest.fail("read again"))
        assert names_of(path, tmp_path, store, read="coco") == ("b.png", "a.png")
        path.touch()
        assert names_of(path, tmp_path, store, read="coco") == ("b.png", "a.png")
    _coco(path, "c.png", "a.png")
    assert names_of(path, tmp_path, store, read="coco") == ("c.png", "a.png")


def test_each_format_names_the_photographs_in_its_own_way(
    tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = SimpleNamespace(
        sources=lambda source, _: [source],
        file_names=lambda source, _: source.read_text().split(),
    )
    monkeypatch.setitem(FORMATS, "lines", Method("tests.lines"))
    monkeypatch.setitem(sys.modules, "tests.lines", lines)  # type: ignore[arg-type]
    path = tmp_path / "a.txt"
    path.write_text("b.png a.png")
    assert names_of(path, tmp_path, store, read="coco") == ()
    assert names_of(path, tmp_path, store, read="lines") == ("b.png", "a.png")
    _coco(path, "c.png")
    assert names_of(path, tmp_path, store, read="coco") == ("c.png",)
    assert names_of(path, tmp_path, store, read="lines") != names_of(
        path, tmp_path, store, read="coco"
    )


FAULTS = {
    "empty": "",
    "no JSON": "{",
    "a list": "[]",
    "no images": "{}",
    "images are no list": '{"images": 3}',
    "an image is no object": '{"images": [3]}',
    "no name": '{"images": [{}]}',
    "a name is no text": '{"images": [{"file_name": 3}]}',
    "too deep": "[" * 100_000,
}


@pytest.mark.parametrize("text", FAULTS.values(), ids=list(FAULTS))
def test_a_faulty_file_names_nothing(text: str, tmp_path: Path, store: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    assert names_of(path, tmp_path, store, read="coco") == ()


def test_a_missing_file_names_nothing(tmp_path: Path, store: Path) -> None:
    assert names_of(tmp_path / "a.json", tmp_path, store, read="coco") == ()


def test_a_photograph_is_watched_by_the_name_that_it_has(tmp_path: Path, store: Path) -> None:
    folder = tmp_path / "photographs"
    folder.mkdir()
    (folder / "my photo.png").write_bytes(b"")
    path = _coco(tmp_path / "a.json", "my%20photo.png", "photographs\\my photo.PNG", "gone.png")
    wanted = ("my photo.png", "my photo.png", "gone.png")
    assert names_of(path, folder, store, read="coco") == wanted
