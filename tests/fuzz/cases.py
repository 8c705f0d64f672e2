"""One try of the fuzzer: files of labels as they would lie on a disk, beside two photographs."""

import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 160, 120  # px, of every photograph
PHOTOGRAPHS = ("a.png", "b.png", "sub/c.jpg")
IMAGES = "images"  # the folder of the photographs, beside the files of a case
LONGEST_NAME = 255  # bytes, of most file systems


@dataclass(frozen=True)
class Case:
    """Files of labels by path, what they hold, and which path is given as the labels.

    folders, links : paths that are a folder, or a link that leads to itself.
    """

    source: str
    files: dict[str, bytes]
    folders: tuple[str, ...] = ()
    links: tuple[str, ...] = ()

    def with_file(self, name: str, data: bytes) -> "Case":
        """The case with one file changed, or added."""
        return replace(self, files={**self.files, name: data})

    def without(self, name: str) -> "Case":
        """The case without a file."""
        return replace(self, files={k: v for k, v in self.files.items() if k != name})


def draw_photographs(base: Path) -> Path:
    """The folder of the photographs, drawn; they stay for all cases."""
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    for name in PHOTOGRAPHS:
        path = base / IMAGES / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(noise).save(path)
    return base / IMAGES


def write(case: Case, base: Path) -> Path:
    """Write a case into a folder, in which the photographs alone stay; the path of the labels."""
    for path in base.iterdir():
        if path.name != IMAGES:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    for name, data in case.files.items():
        if _is_free(base, name):
            (base / name).write_bytes(data)
    for name in case.folders:
        if _is_free(base, name):
            (base / name).mkdir()
    for name in case.links:
        if _is_free(base, name):
            (base / name).symlink_to(Path(name).name)
    return base / case.source


def _is_free(base: Path, name: str) -> bool:
    """Whether something can be put there; its folder is made."""
    if not _is_writable(name):
        return False
    try:
        (base / name).parent.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False  # a file is in the way
    return not os.path.lexists(base / name)


def _is_writable(name: str) -> bool:
    parts = os.fsencode(name).split(b"/") if _is_encodable(name) else [b".."]
    return all(part not in (b"", b".", b"..") and len(part) <= LONGEST_NAME for part in parts)


def _is_encodable(name: str) -> bool:
    try:
        return b"\0" not in os.fsencode(name)
    except UnicodeEncodeError:
        return False
