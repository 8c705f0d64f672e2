"""Results of others: files that Snakemake knows nothing about, and what their headers say.

Results that were copied without `.snakemake` look finished to Snakemake, whatever they were made
with. So their headers are held against the config: of a Parquet file only the end is read, of a
model only the pickle's text, which is not run. Standard library alone.
"""

import json
import os
import pickletools
import struct
import zipfile
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

MAGIC = b"PAR1"  # a Parquet file ends with the length of its footer and this
KEY = b"\x18\x08maskmill\x18"  # in the footer (Thrift, compact): text of 8 bytes, then a text
LARGE = 50_000_000  # bytes; labels alone are larger, and theirs is the first line
EDITION_1 = frozenset({"images", "weak_labels", "proposals", "selections", "refinements"})
DAMAGES = (
    *(OSError, ValueError, LookupError, TypeError, RuntimeError, EOFError),
    *(zipfile.BadZipFile, zlib.error, struct.error),
)
TOLD = 3  # differing settings that a sentence names


def header_of(path: Path) -> dict[str, Any] | None:
    """What a result was made with, as its own program wrote it; None where it does not say.

    Reads Parquet tables, models (`.pt`), pseudo-labels and other `.json` files with "provenance".
    """
    read = {".parquet": _of_table, ".json": _of_json, ".pt": _of_model}.get(path.suffix)
    if read is None:
        return None
    try:
        with path.open("rb") as file:
            header = read(file)
    except DAMAGES:
        return None
    return header if isinstance(header, dict) else None


def foreign(path: Path, *, settings: Mapping[str, Any], seed: int) -> str | None:
    """A sentence where a result was made with another seed or other settings, else None.

    Parameters
    ----------
    settings : of the stage, as its program writes them into headers. seed : of the stage.
    """
    header = header_of(path)
    if header is None:
        return None
    remedy = f"Choose another `run`, or remove {path.parent} and run snakemake again."
    if header.get("version") == 1 and header.get("schema") in EDITION_1:
        return f"{path}: made by edition 1 of Maskmill, whose tables were others. {remedy}"
    planned = json.loads(json.dumps(settings))  # tuples become lists, as in the header
    made = {"seed": header.get("seed", seed), **_flat(header.get("settings", planned))}
    wanted = {"seed": seed, **_flat(planned)}
    keys = [key for key in made | wanted if not _agree(made, wanted, key)]
    if not keys:
        return None
    keys.sort(key=lambda key: (key != "seed", key))
    told = [f"{key} {_told(made, key)} (planned: {_told(wanted, key)})" for key in keys[:TOLD]]
    more = f" and {len(keys) - TOLD} more" if len(keys) > TOLD else ""
    return f"{path}: made with {', '.join(told)}{more}. {remedy}"


def unrecorded(paths: Iterable[Path], folder: Path) -> list[Path]:
    """Those outputs that exist although Snakemake has no record of them.

    Parameters
    ----------
    paths : as the rules name them. folder : `.snakemake` of the working folder.
    """
    records = folder / "metadata"
    there = [path for path in paths if path.exists()]
    if not records.is_dir():
        return there
    return [path for path in there if not _record(records, str(path)).exists()]


def _record(records: Path, output: str) -> Path:
    """Where Snakemake keeps what it knows of an output: its name in base 64, cut into folders."""
    longest = (os.pathconf(records, "PC_NAME_MAX") or 255) - 1
    text = urlsafe_b64encode(output.encode()).decode()
    parts = [text[start : start + longest] for start in range(0, len(text), longest)]
    return records.joinpath(*(f"@{part}" for part in parts[:-1]), parts[-1])


def _of_table(file: IO[bytes]) -> Any:
    end = file.seek(-8, os.SEEK_END)
    length = int.from_bytes(file.read(4), "little")
    if file.read(4) != MAGIC or length > end:
        raise ValueError("no Parquet file")
    file.seek(end - length)
    footer = file.read(length)
    place = footer.index(KEY) + len(KEY)
    size, shift = 0, 0
    while True:  # a number in groups of 7 bits, the lowest first
        size |= (footer[place] & 127) << shift
        place, shift = place + 1, shift + 7
        if footer[place - 1] < 128:
            break
    return json.loads(footer[place : place + size])


def _of_json(file: IO[bytes]) -> Any:
    first = file.readline(LARGE).strip()
    if first.startswith(b'{"info":'):
        return json.loads(first.rstrip(b",") + b"}")["info"]["maskmill"]
    if not first.startswith(b"{") or file.seek(0, os.SEEK_END) > LARGE:
        return None
    file.seek(0)
    return json.loads(file.read())["provenance"]


def _of_model(file: IO[bytes]) -> Any:
    with zipfile.ZipFile(file) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/data.pkl"))
        texts = [arg for _, arg, _ in pickletools.genops(archive.read(name)) if type(arg) is str]
    (header,) = (text for key, text in pairwise(texts) if key == "header")
    return json.loads(header)


def _flat(values: Any, name: str = "") -> dict[str, Any]:
    """Nested settings by dotted names."""
    return dict(_leaves(values, name))


def _leaves(values: Any, name: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(values, dict) or (not values and name):
        yield name, values
        return
    for key, value in values.items():
        yield from _leaves(value, f"{name}.{key}" if name else key)


def _agree(made: Mapping[str, Any], wanted: Mapping[str, Any], key: str) -> bool:
    return key in made and key in wanted and bool(made[key] == wanted[key])


def _told(values: Mapping[str, Any], key: str) -> str:
    return json.dumps(values[key]) if key in values else "absent"
