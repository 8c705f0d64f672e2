"""Shards that belong together: all of one count, made alike, each with its own images alone."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from stages.tables.headers import checked_header
from stages.tables.record import Record
from stages.tables.shard_names import is_shard_name, shard_names

ROWS_AT_ONCE = 1000  # that are Python's for a moment


def whole_set(paths: Sequence[Path], record: Record) -> dict[str, Any]:
    """The header that all shards of a table share, their own name apart.

    Raises
    ------
    ValueError : a shard is missing, is there twice or is of another count, or they were made with
        different settings, code or models.
    """
    headers = [checked_header(path, record) for path in paths]
    names = [str(header.pop("shard", ""))[:40] for header in headers]
    count = int(names[0].rpartition("-")[2]) if is_shard_name(names[0]) else 0
    if count != len(names) or sorted(names) != list(shard_names(count)):
        raise ValueError(
            f"{paths[0].parent}: table {record.name} needs each of its {count} shards once, but "
            f"{', '.join(names)} were given. Give all shards of one count."
        )
    for path, header in zip(paths, headers, strict=True):
        if header != headers[0]:
            odd = sorted(
                k for k in header.keys() | headers[0].keys() if _differ(k, header, headers)
            )
            raise ValueError(
                f"{path}: made with other {', '.join(odd)} than {paths[0]}. Remove the folder and "
                "run snakemake again."
            )
    return headers[0]


def _differ(key: str, header: Mapping[str, Any], headers: Sequence[Mapping[str, Any]]) -> bool:
    return bool(header.get(key) != headers[0].get(key))


def check_shard(path: Path, record: Record, shard: str) -> None:
    """Raise ValueError where a file says that it holds another shard, named as 0003-of-0128."""
    seen = checked_header(path, record).get("shard", shard)
    if seen != shard:
        raise ValueError(
            f"{path}: it holds shard {str(seen)[:40]} of table {record.name}, but {shard} is "
            "wanted. Remove the file and run snakemake again."
        )


def check_alike(tables: Mapping[Path, Record]) -> None:
    """Raise ValueError where files that one job has written say different things of how."""
    headers = {path: checked_header(path, record) for path, record in tables.items()}
    first, *others = headers
    for path in others:
        odd = [
            key
            for key in sorted({*headers[first], *headers[path]} - {"schema", "version"})
            if headers[first].get(key) != headers[path].get(key)
        ]
        if odd:
            raise ValueError(
                f"{path}: made with other {', '.join(odd)} than {first}, so they are of different "
                "runs. Remove both and run snakemake again."
            )


def check_seed(path: Path, record: Record, seed: int | None) -> None:
    """Raise ValueError where a file says that it was made with another seed; None: any."""
    seen = checked_header(path, record).get("seed", seed)
    if seed is not None and seen != seed:
        raise ValueError(
            f"{path}: made with seed {str(seen)[:40]}, but {seed} is wanted: the file is of "
            "another run. Remove it and run snakemake again."
        )


def check_members(rows: pa.Table, image_ids: Collection[int], where: Path) -> None:
    """Raise ValueError where a table of a shard has rows of images that are not the shard's."""
    strangers = set(rows.column("image_id").unique().to_pylist()).difference(image_ids)
    if strangers:
        raise ValueError(
            f"{where}: image {min(strangers)} is not one of this shard's {len(image_ids)} images. "
            "The file is of another shard or of another run: remove it and run snakemake again."
        )


def rows_digest(table: pa.Table) -> str:
    """SHA-256 of the rows of a table, hexadecimal; how they lie in memory does not matter."""
    digest = hashlib.sha256()
    for batch in table.to_batches(max_chunksize=ROWS_AT_ONCE):
        for row in batch.to_pylist():
            digest.update(json.dumps(row, default=bytes.hex).encode() + b"\n")
    return digest.hexdigest()
