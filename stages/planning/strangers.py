"""Files that were made with other settings than planned, by their headers. Standard library."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def foreign(path: Path, *, settings: Mapping[str, Any], seed: int) -> str | None:
    """What is wrong with a file of others, or None."""
    return None


def unrecorded(paths: Sequence[Path], folder: Path) -> list[Path]:
    """Those that exist without a record of Snakemake."""
    return []
