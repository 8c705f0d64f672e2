"""Resuming inside a shard: finished chunks of images wait as parts until the tables are whole."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from stages.runtime.program import say
from stages.runtime.progress import Progress
from stages.runtime.unfinished import parts_folder, remove_parts
from stages.tables.record import Record
from stages.tables.shards import check_members
from stages.tables.table import empty_table, read_table, write_pieces, write_table

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
    at_once: int = 1,
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
    at_once : images in work at the same time, each on a thread of its own, which `compute` must
        then allow; the bytes are the same.

    Returns
    -------
    The tables as written, without their columns of masks.
    """
    decides = {**provenance, "also": also}
    folder = parts_folder(outputs[0][0], decides, image_ids, inputs=inputs)
    parts: list[tuple[list[Path], Sequence[int]]] = []
    with _mapping(compute, at_once) as computed:
        for number, start in enumerate(range(0, len(image_ids), chunk)):
            ids = image_ids[start : start + chunk]
            paths = [
                _part(folder, number, record, own=not k) for k, (_, record) in enumerate(outputs)
            ]
            if _are_finished(outputs, paths, ids, name=progress.name):
                progress.skip(len(ids))
            else:
                _write_part(outputs, paths, computed(ids), provenance=provenance, progress=progress)
            parts.append((paths, ids))
    tables = _joined(outputs, parts, provenance)
    remove_parts(folder)
    return tables


def _joined(
    outputs: Outputs,
    parts: Sequence[tuple[Sequence[Path], Sequence[int]]],
    provenance: Mapping[str, Any],
) -> list[pa.Table]:
    """The parts, each with its images, written as whole tables."""
    tables: list[pa.Table] = []
    for place, (out, record) in reversed(list(enumerate(outputs))):  # the stage's own one last
        mine = [(paths[place], ids) for paths, ids in parts]
        rows = sum(pq.read_metadata(path).num_rows for path, _ in mine)
        pieces = (_read(path, record, ids) for path, ids in mine) if mine else [empty_table(record)]
        write_pieces(out, pieces, rows, record, provenance)
        tables.insert(0, read_table(out, record, columns=_slim(record)))
    return tables


@contextmanager
def _mapping(
    compute: Compute, at_once: int
) -> Iterator[Callable[[Sequence[int]], Iterator[Sequence[pa.Table]]]]:
    """What computes images, in their order, one by one or `at_once` on as many threads."""
    if at_once == 1:
        yield lambda ids: map(compute, ids)
        return
    with ThreadPoolExecutor(at_once) as pool:
        try:
            yield lambda ids: pool.map(compute, ids)
        finally:
            pool.shutdown(cancel_futures=True)  # after a fault the rest of the part is not begun


def _slim(record: Record) -> list[str]:
    """Names of the columns but for those of masks, which are most of a table."""
    return [field.name for field in record.schema if not _is_bulky(field.type)]


def _is_bulky(kind: pa.DataType) -> bool:
    return pa.types.is_binary(kind) or (pa.types.is_list(kind) and _is_bulky(kind.value_type))


def _part(folder: Path, number: int, record: Record, *, own: bool) -> Path:
    return folder / f"part-{number:06d}{'' if own else '-' + record.name}.parquet"


def _read(path: Path, record: Record, ids: Sequence[int]) -> pa.Table:
    table = read_table(path, record)
    check_members(table, ids, path)
    return table


def _are_finished(
    outputs: Outputs, paths: Sequence[Path], ids: Sequence[int], *, name: str
) -> bool:
    """Whether an interrupted run had finished these; not where that is damaged."""
    if not paths[0].exists():
        return False
    try:
        for path, (_, record) in zip(paths, outputs, strict=True):
            _read(path, record, ids)
    except ValueError as error:
        say(name, f"a finished part is damaged, so it is made again: {error}")
        return False
    return True


def _write_part(
    outputs: Outputs,
    paths: Sequence[Path],
    computed: Iterator[Sequence[pa.Table]],
    *,
    provenance: Mapping[str, Any],
    progress: Progress,
) -> None:
    """Write the rows of a chunk; the part of the first output last: it says that all are there."""
    found = []
    for tables in computed:
        found.append(tables)
        progress.step()
    for place, (_, record) in reversed(list(enumerate(outputs))):
        table = pa.concat_tables([tables[place] for tables in found])
        write_table(paths[place], table, record, provenance)
