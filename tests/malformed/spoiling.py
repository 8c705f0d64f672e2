"""How a sound file is spoilt, whatever it holds: its bytes, or what stands at its place."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Spoil = Callable[[Path], object]
KEYS_AT = 24  # bytes of a Parquet file before the first pages of its first column, and some of them


def rewritten(change: Callable[[bytes], bytes]) -> Spoil:
    """The file's bytes are changed."""
    return lambda path: path.write_bytes(change(path.read_bytes()))


def replaced(make: Spoil) -> Spoil:
    """Something else stands at the file's place."""

    def spoil(path: Path) -> None:
        path.unlink()
        make(path)

    return spoil


def _flipped(data: bytes) -> bytes:
    """Eight bytes in the middle and eight where a table has its keys, all bits of each.

    The middle alone may lie in a column that its reader never looks at.
    """
    found = bytearray(data)
    for place in (KEYS_AT, len(data) // 2):
        found[place : place + 8] = bytes(byte ^ 255 for byte in data[place : place + 8])
    return bytes(found)


CUT: dict[str, Spoil] = {
    "emptied": rewritten(lambda data: b""),
    "cut in half": rewritten(lambda data: data[: len(data) // 2]),
    "cut by a byte": rewritten(lambda data: data[:-1]),
    "reversed": rewritten(lambda data: data[::-1]),
    "zeros": rewritten(lambda data: bytes(len(data))),
    "text": rewritten(lambda data: b"this is no such file\n"),
    "from its middle on": rewritten(lambda data: data[len(data) // 2 :]),
}
DOUBLED: dict[str, Spoil] = {"doubled": rewritten(lambda data: data * 2)}
FLIPPED: dict[str, Spoil] = {"bytes flipped": rewritten(_flipped)}
NO_FILE: dict[str, Spoil] = {
    "missing": replaced(lambda path: None),
    "a folder": replaced(lambda path: path.mkdir()),
    "a pipe": replaced(os.mkfifo),
    "a device": replaced(lambda path: path.symlink_to("/dev/zero")),
    "a link to itself": replaced(lambda path: path.symlink_to(path.name)),
    "a link to nothing": replaced(lambda path: path.symlink_to("nothing")),
}


@contextmanager
def spoilt(path: Path, spoil: Spoil) -> Iterator[None]:
    """The file is spoilt for a while, and then as it was."""
    data = path.read_bytes()
    try:
        spoil(path)
        yield
    finally:
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)
        path.write_bytes(data)
