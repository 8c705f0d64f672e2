"""What a run's folder holds, so that what a program changes or leaves behind is seen."""

import hashlib
import shutil
from pathlib import Path

PARTS = ("results", "workflow")
LEFT_OUT = {"answers", "embeddings", "logs", "stages", ".snakemake", "__pycache__"}


def contents(folder: Path) -> dict[Path, bytes]:
    """The digest of each file below `results` and `workflow`, by its path; work in progress apart.

    What an attempt keeps for the next one is no output: `.parts`, answers, embeddings.
    """
    found = {}
    for part in PARTS:
        for path in sorted((folder / part).rglob("*")):
            inner = path.relative_to(folder)
            is_part = any(name.endswith(".parts") for name in inner.parts)
            if path.is_file() and not is_part and not LEFT_OUT & {*inner.parts}:
                found[inner] = hashlib.sha256(path.read_bytes()).digest()
    return found


def copied(folder: Path) -> Path:
    """A sound copy of what lies in a folder, beside it."""
    copy = folder.with_name(f"{folder.name}-sound")
    for part in PARTS:
        shutil.copytree(folder / part, copy / part, symlinks=True)
    return copy


def put_back(folder: Path, kept: dict[Path, bytes]) -> None:
    """Make a folder again what it was when it was copied, if it is not."""
    if contents(folder) == kept:
        return
    for part in PARTS:
        shutil.rmtree(folder / part)
        shutil.copytree(folder.with_name(f"{folder.name}-sound") / part, folder / part)
