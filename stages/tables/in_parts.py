"""Resuming inside a shard: finished chunks of images wait as parts until the tables are whole."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from stages.runtime.program import say
from stages.runtime.progress import Progress
from stages.runtime.unfinished import parts_folder, remove_parts
from stages.tables.record import Record
from stages.tables.shards import check_members
from stages.tables.table import empty_table, read_table, write_table

Outputs = Sequence[tuple[Path, Record]]  # the first one is the stage's own, others lie beside it
Compute = Callable[[int], Sequence[pa.Table]]


def write_in_parts(
    outputs: Outputs,
    image_ids: Sequence[int],
    compute: Compute,
    *,
    provenance: Mapping[str, Any],
    chunk: int,
    progress: Progress,
    inputs: Sequence[Path] = (),
    also: Mapping[str, Any] | None = None,
) -> list[pa.Table]:
    """Compute the rows of each image, chunk by chunk, and write whole tables.

    Parameters
    ----------
    outputs : files and what they hold.
    image_ids : sorted ids; one part holds `chunk` of them.
    compute : rows of one image, for each of the outputs; depends on nothing but the image,
        `provenance`, `inputs` and `also`.
    inputs : files whose content decides the rows; parts made from others are thrown away.
    also : JSON-able; what else decides them, such as the rows of this shard in a file of all.

    Returns
    -------
    The tables as written.
    """
    decides = {**provenance, "also": also}
    folder = parts_folder(outputs[0][0], decides, image_ids, inputs=inputs)
    parts: list[list[pa.Table]] = []
    for number, start in enumerate(range(0, len(image_ids), chunk)):
        ids = image_ids[start : start + chunk]
        paths = [_part(folder, number, record, own=not k) for k, (_, record) in enumerate(outputs)]
        found = _finished(outputs, paths, ids, name=progress.name)
        if found is None:
            _write_part(outputs, paths, ids, compute, provenance=provenance, progress=progress)
            found = _read(outputs, paths, ids)
        else:
            progress.skip(len(ids))
        parts.append(found)
    tables: list[pa.Table] = []
    for place, (out, record) in reversed(list(enumerate(outputs))):  # the stage's own one last
        table = pa.concat_tables([part[place] for part in parts]) if parts else empty_table(record)
        write_table(out, table, record, provenance)
        tables.insert(0, table)
    remove_parts(folder)
    return tables


def _part(folder: Path, number: int, record: Record, *, own: bool) -> Path:
    return folder / f"part-{number:06d}{'' if own else '-' + record.name}.parquet"


def _read(outputs: Outputs, paths: Sequence[Path], ids: Sequence[int]) -> list[pa.Table]:
    tables = [read_table(path, record) for path, (_, record) in zip(paths, outputs, strict=True)]
    for table, path in zip(tables, paths, strict=True):
        check_members(table, ids, path)
    return tables


def _finished(
    outputs: Outputs, paths: Sequence[Path], ids: Sequence[int], *, name: str
) -> list[pa.Table] | None:
    """What an interrupted run had finished; None where it had not, or where that is damaged."""
    if not paths[0].exists():
        return None
    try:
        return _read(outputs, paths, ids)
    except ValueError as error:
        say(name, f"a finished part is damaged, so it is made again: {error}")
        return None


def _write_part(
    outputs: Outputs,
    paths: Sequence[Path],
    ids: Sequence[int],
    compute: Compute,
    *,
    provenance: Mapping[str, Any],
    progress: Progress,
) -> None:
    """Write the rows of a chunk; the part of the first output last: it says that all are there."""
    found = []
    for image_id in ids:
        found.append(compute(image_id))
        progress.step()
    for place, (_, record) in reversed(list(enumerate(outputs))):
        table = pa.concat_tables([tables[place] for tables in found])
        write_table(paths[place], table, record, provenance)
