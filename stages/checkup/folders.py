"""The folder of the results: can it be written, can files be renamed, what is free."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from stages.checkup.finding import Finding

LEAST_FREE = 1.0  # GB


def folders_found(folder: Path) -> Iterator[Finding]:
    """Lines about the folder, or about the nearest above it that is there; nothing stays behind."""
    there = nearest(folder)
    yield free_found(there, shutil.disk_usage(there).free / 1e9)
    try:
        with tempfile.TemporaryDirectory(prefix=".doctor-", dir=there) as place:
            yield Finding("ok", "writing", f"{there} can be written")
            yield renaming_found(Path(place))
            yield links_found(Path(place))
    except OSError as error:
        remedy = f"chmod u+rwx {there}, or snakemake --directory <another folder>"
        yield Finding("wrong", "writing", f"{there} cannot be written ({error.strerror})", remedy)


def nearest(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    folder = folder.absolute()
    return folder if folder.is_dir() else nearest(folder.parent)


def free_found(folder: Path, gigabytes: float) -> Finding:
    """Whether there is room for a run."""
    if gigabytes < LEAST_FREE:
        remedy = "snakemake tidy, or snakemake --directory <another folder>"
        return Finding("wrong", "disk", f"{gigabytes:.1f} GB free at {folder}", remedy)
    return Finding(
        "ok",
        "disk",
        f"{gigabytes:.1f} GB free at {folder}; `snakemake estimate` tells what a run needs",
    )


def renaming_found(place: Path) -> Finding:
    """Whether a file takes the place of another at once, as every result does."""
    first, second = place / "first", place / "second"
    try:
        first.write_text("new")
        second.write_text("old")
        os.replace(first, second)
        whole = second.read_text() == "new" and not first.exists()
    except OSError as error:
        return _no_renaming(str(error.strerror))
    return Finding("ok", "renaming", "files are replaced whole") if whole else _no_renaming("lost")


def _no_renaming(reason: str) -> Finding:
    remedy = "snakemake --directory <a folder on a local disk>"
    return Finding("wrong", "renaming", f"files cannot be replaced here ({reason})", remedy)


def links_found(place: Path) -> Finding:
    """Whether there are symbolic links, which stand for names that Snakemake would misread."""
    try:
        (place / "link").symlink_to(place)
    except OSError as error:
        seen = f"none here ({error.strerror}); names with braces or spaces are then refused"
        return Finding("absent", "links", seen)
    return Finding("ok", "links", "symbolic links work")
