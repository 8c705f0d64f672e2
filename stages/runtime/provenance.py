"""What a result depends on: code digests, settings, versions; nothing that changes by itself."""

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from stages.runtime.code import code_of


def provenance_of(
    stage: str,
    *,
    settings: Mapping[str, Any],
    seed: int,
    packages: Iterable[str] = (),
    code: Sequence[str] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """What the output of a stage depends on, for the metadata of its files.

    Parameters
    ----------
    stage : module of the program, such as "stages.select".
    settings : the stage's settings as plain values.
    packages : names of the installed packages whose versions matter.
    code : digests of the code, where they are not those of `code_of(stage)`.
    more : further facts, such as a checkpoint's sha256. No times, host names or absolute paths.
    """
    return {
        "stage": stage,
        "settings": dict(settings),
        "code": code_of(stage) if code is None else list(code),
        "seed": seed,
        "packages": {name: metadata.version(name) for name in sorted(packages)},
        "python": ".".join(platform.python_version_tuple()[:2]),
        **more,
    }


def fingerprint(provenance: Mapping[str, Any]) -> str:
    """16 hexadecimal digits that change with anything in `provenance`."""
    text = json.dumps(provenance, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal; read once per process while size and date stay.

    Raises
    ------
    ValueError : the file is missing.
    """
    if not path.is_file():
        raise ValueError(f"{path}: this file is missing.")
    seen = path.stat()
    return _read_sha256(path.resolve(), seen.st_size, seen.st_mtime_ns)


@cache
def _read_sha256(path: Path, size: int, date: int) -> str:
    """The digest of what is there now; several gigabytes, asked for by whoever uses weights."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
