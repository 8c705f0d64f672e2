"""Files and folders that are complete or absent: write beside, fsync, rename.

A reader never sees half a file, and a killed writer leaves only a hidden temporary file, which the
next writer of the same path removes.
"""

import glob
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on a clean exit it becomes `path`.

    Parameters
    ----------
    path : the file to write; its folder is made when it is missing.

    Yields
    ------
    A path in the same folder. On an exception it is removed and `path` stays as it was.

    Raises
    ------
    RuntimeError : the block ended without writing the temporary file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for stale in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        stale.unlink(missing_ok=True)
    temporary = path.parent / f".{path.name}.{os.getpid()}.tmp"
    try:
        yield temporary
        if not temporary.exists():
            raise RuntimeError(f"{path}: nothing was written to the temporary file {temporary}.")
        _sync(temporary)
        temporary.replace(path)
        _sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder beside `path`; on a clean exit it becomes `path`.

    Parameters
    ----------
    path : the folder to write; what was there is removed then. A kill between the two leaves
        nothing there, never half of it.

    Raises
    ------
    ValueError : there is something at `path` that is not a folder.
    """
    if path.exists() and not path.is_dir():
        raise ValueError(f"{path}: a file, where a folder is to be written. Remove or rename it.")
    path.parent.mkdir(parents=True, exist_ok=True)
    for stale in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        shutil.rmtree(stale, ignore_errors=True)
    temporary = path.parent / f".{path.name}.{os.getpid()}.tmp"
    temporary.mkdir()
    try:
        yield temporary
        os.sync()  # all at once: there may be a file for each photograph
        if path.is_dir():
            shutil.rmtree(path)
        temporary.replace(path)
        _sync(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path`, completely or not at all."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` as UTF-8, completely or not at all."""
    write_bytes(path, text.encode("utf-8"))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
