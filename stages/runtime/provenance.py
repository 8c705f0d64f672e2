"""What a result depends on: code digests, settings, versions; nothing that changes by itself."""

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from stages.runtime.code import code_of


def provenance_of(
    stage: str,
    *,
    settings: Mapping[str, Any],
    seed: int,
    packages: Iterable[str] = (),
    built: Iterable[str] = (),
    code: Sequence[str] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """What the output of a stage depends on, for the metadata of its files.

    Parameters
    ----------
    stage : module of the program, such as "stages.select".
    settings : the stage's settings as plain values.
    packages : names of the installed packages whose versions matter.
    built : those among them that people build from any commit, so that a version tells too little;
        a digest of what is installed stands behind it.
    code : digests of the code, where they are not those of `code_of(stage)`.
    more : further facts, such as a checkpoint's sha256. No times, host names or absolute paths.
    """
    return {
        "stage": stage,
        "settings": dict(settings),
        "code": code_of(stage) if code is None else list(code),
        "seed": seed,
        "packages": {name: _version(name, built=name in set(built)) for name in sorted(packages)},
        "python": ".".join(platform.python_version_tuple()[:2]),
        **more,
    }


def _version(package: str, *, built: bool) -> str:
    version = metadata.version(package)
    return f"{version} (sources {sources_of(package)})" if built else version


@cache
def sources_of(package: str) -> str:
    """8 hexadecimal digits over the names and contents of a package's Python and YAML files.

    detectron2's main branch and its tag of 2021 both call themselves 0.6; this tells them apart.

    Raises
    ------
    ValueError : no such package is installed.
    """
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise ValueError(f"{package}: no such package is installed. Install it.")
    folder = Path(found.submodule_search_locations[0])
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.suffix in (".py", ".yaml")):
        digest.update(f"{path.relative_to(folder).as_posix()}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:8]


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
        raise ValueError(
            f"{path}: this file is missing. Correct its path, or run snakemake to make it."
        )
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
