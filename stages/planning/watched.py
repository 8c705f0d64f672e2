"""What the user's files hold, as digests that a touch or a copy leaves as they are.

A list beside the results says which SHA-256 a file had when it had this size, this date, this
inode: what agrees is not read again, what differs is. A file that was changed moments before is not
listed, since it may change again within one tick of the clock. Standard library alone.
"""

import functools
import hashlib
import json
import os
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from stages.formats.format import FORMATS
from stages.photographs.naming import Names, leads_outside
from stages.runtime.atomic import write_text
from stages.runtime.doors import opened
from stages.runtime.program import say

Watch = Literal["content", "stat"]
Row = list[Any]  # size (bytes), mtime, ctime (ns), inode, SHA-256
FILES, NAMES = (
    "files",
    "names",
)  # of the list: {folder: {name: row}}, {labels as format: [digest, names]}
READERS = 8  # threads that read files
TOGETHER = 64  # files that a thread is given at a time
TELL_EVERY = 4.0  # s between two lines
RECENT = 2_000_000_000  # ns
FAULTS = (OSError, ValueError, LookupError, TypeError, RecursionError, AttributeError)  # of labels
LARGE = 50_000_000  # bytes of an annotation file that takes a while


def digest_of_files(
    paths: Sequence[Path], *, base: Path, store: Path, watch: Watch = "content"
) -> str:
    """One digest of what files hold, in this order; a missing file counts as missing.

    Parameters
    ----------
    base : names are told from here where only names, sizes and dates count.
    store : the list, `results/<run>/watched.json`.
    watch : content, or stat: (name, size, date), and nothing is read.

    Returns
    -------
    16 hexadecimal digits.
    """
    names = [str(path) for path in paths]
    if watch == "stat":
        told = [os.path.relpath(name, base) for name in names]
        return _digest([[name, *_stat(path)] for name, path in zip(told, names, strict=True)])
    found = _content("", names, store, "files")
    return _digest([found[name] for name in names])


def sha256_of_file(path: Path, *, store: Path) -> str | None:
    """SHA-256 of one file, read once while it stays as it is; None where there is none.

    store : as in `digest_of_files`.
    """
    return _content("", [str(path)], store, "files")[str(path)]


def digest_of_photographs(
    folder: Path, names: Sequence[str], *, store: Path, watch: Watch = "content"
) -> str:
    """One digest of the photographs of these names, whatever their order.

    Parameters
    ----------
    names : paths inside `folder`; those that lead out of it are skipped, since prepare refuses
        them. A missing file counts as missing.
    store, watch : as in `digest_of_files`.
    """
    inside = sorted({name for name in names if not leads_outside(name)})
    if watch == "stat":
        return _digest([[name, *_stat(os.path.join(folder, name))] for name in inside])
    found = _content(str(folder), inside, store, "photographs")
    return _digest([[name, found[name]] for name in inside])


def names_of(source: Path, images: Path, store: Path, *, read: str) -> tuple[str, ...]:
    """Photographs that labels name, as they are called in their folder; of faulty labels none.

    What the labels name is kept in the list `store` by the digest of their files.

    Parameters
    ----------
    source : file or folder of labels. images : folder of the photographs.
    read : format of the labels, a name of the door `stages.formats.format`.
    """
    labels = opened(FORMATS[read].module)
    files = labels.sources(source, images)
    digest = digest_of_files(files, base=source, store=store)
    key = f"{source} of {images} as {read}"
    known = _listed(store)[NAMES].get(key)
    if isinstance(known, list) and known[:1] == [digest] and isinstance(known[-1], list):
        return _called(known[-1], images)
    names = _read_names(labels, files, source, images)
    if names:
        _write(store, NAMES, {key: [digest, names]})
    return _called(names, images)


def _read_names(labels: Any, files: Sequence[Path], source: Path, images: Path) -> list[str]:
    """The names as the labels write them."""
    try:
        if sum(path.stat().st_size for path in files) > LARGE:
            say("planning", f"reading which photographs {source} names ...")
        names = list(labels.file_names(source, images))
    except FAULTS:
        return []
    return names if all(isinstance(name, str) for name in names) else []


def _called(names: Sequence[str], images: Path) -> tuple[str, ...]:
    """What the photographs of these names are called; a name that fits none stays."""
    finder = Names(images)
    return tuple(finder.find(name) or name for name in names)


def _digest(values: list[Any]) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:16]


def _stat(path: str) -> list[int]:
    """Size and date; nothing where there is no file."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return []
    return [found.st_size, found.st_mtime_ns]


def _content(folder: str, names: Sequence[str], store: Path, what: str) -> dict[str, str | None]:
    """SHA-256 of each file, None where it is missing; what was read goes into the list."""
    known = _listed(store)[FILES].get(folder, {})
    known = known if isinstance(known, dict) else {}
    start, rows = time.time_ns(), dict[str, Row | None]()
    try:
        for done in _rows(folder, names, known, what):
            rows |= done
    finally:  # what an impatient user breaks off is not lost
        new = {name: row for name, row in rows.items() if row and row is not known.get(name)}
        settled = {name: row for name, row in new.items() if row[2] < start - RECENT}
        if settled:
            _write(store, FILES, {folder: {**known, **settled}})
    return {name: row[4] if row else None for name, row in rows.items()}


def _rows(
    folder: str, names: Sequence[str], known: Mapping[str, Row], what: str
) -> Iterator[dict[str, Row | None]]:
    """Rows of some files after the other, with a line on stderr when it takes long."""

    def look(some: Sequence[str]) -> dict[str, Row | None]:
        return {name: _row(os.path.join(folder, name), known.get(name)) for name in some}

    done, told = 0, time.monotonic()
    at_once = READERS * TOGETHER
    with ThreadPoolExecutor(READERS) as pool:
        for first in range(0, len(names), at_once):
            some = names[first : first + at_once]
            groups = [some[start : start + TOGETHER] for start in range(0, len(some), TOGETHER)]
            yield from pool.map(look, groups)
            done += len(some)
            if time.monotonic() - told > TELL_EVERY:
                say("planning", f"hashing {done}/{len(names)} {what} ...")
                told = time.monotonic()


def _row(path: str, known: Row | None) -> Row | None:
    """What is known of a file where it is as it was, else what it holds; None: no such file."""
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode):
            return None
        mark = [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]
        if isinstance(known, list) and len(known) == 5 and known[:4] == mark:
            return known
        with open(path, "rb") as file:
            return [*mark, hashlib.file_digest(file, "sha256").hexdigest()]
    except (OSError, ValueError):  # ValueError: a name that no file can have
        return None


def _listed(store: Path) -> dict[str, dict[str, Any]]:
    """The list; empty where it is missing or damaged. Not to be changed."""
    try:
        found = store.stat()
        return _parsed(store, (found.st_mtime_ns, found.st_ino, found.st_size))
    except (OSError, ValueError):
        return {FILES: {}, NAMES: {}}


@functools.lru_cache(maxsize=2)
def _parsed(store: Path, _mark: tuple[int, int, int]) -> dict[str, dict[str, Any]]:
    values = json.loads(store.read_bytes())
    if not isinstance(values, dict) or not all(
        isinstance(values.get(part), dict) for part in (FILES, NAMES)
    ):
        raise ValueError(f"{store}: this is no list of watched files.")
    return values


def _write(store: Path, part: str, new: Mapping[str, Any]) -> None:
    whole = _listed(store)
    with suppress(OSError):  # a full disk: what is not on the list is read again
        write_text(store, json.dumps({**whole, part: {**whole[part], **new}}) + "\n")
