"""What the user's files hold, as digests that outlive touches and copies. Standard library."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

Watch = Literal["content", "stat"]


def digest_of_files(paths: Sequence[Path], *, base: Path, store: Path, watch: Watch) -> str:
    """One digest of what the files hold."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes() if path.is_file() else b"missing")
    return digest.hexdigest()


def digest_of_photographs(folder: Path, names: Sequence[str], *, store: Path, watch: Watch) -> str:
    """One digest of the photographs of these names."""
    paths = [folder / name for name in names]
    return digest_of_files(paths, base=folder, store=store, watch=watch)


def names_of(annotations: Path, store: Path) -> tuple[str, ...]:
    """The file names of the photographs that a COCO file lists; none where it is damaged."""
    try:
        return tuple(image["file_name"] for image in json.loads(annotations.read_bytes())["images"])
    except (OSError, ValueError, KeyError, TypeError):
        return ()
