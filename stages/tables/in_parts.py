"""Resuming inside a shard: finished chunks of images wait as parts until the table is whole."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from stages.runtime.progress import Progress
from stages.runtime.unfinished import parts_folder, remove_parts
from stages.tables.table import Record, empty_table, read_table, write_table


def write_in_parts(
    out: Path,
    record: Record,
    image_ids: Sequence[int],
    compute: Callable[[int], pa.Table],
    *,
    provenance: Mapping[str, Any],
    chunk: int,
    progress: Progress,
    inputs: Sequence[Path] = (),
) -> pa.Table:
    """Compute the rows of each image, chunk by chunk, and write the whole table to `out`.

    Parameters
    ----------
    image_ids : sorted ids; one part holds `chunk` of them.
    compute : rows of one image; depends on nothing but the image, `provenance` and `inputs`.
    inputs : files whose content decides the rows; parts made from others are thrown away.

    Returns
    -------
    The table as written.
    """
    folder = parts_folder(out, provenance, image_ids, inputs=inputs)
    parts = []
    for number, start in enumerate(range(0, len(image_ids), chunk)):
        path = folder / f"part-{number:06d}.parquet"
        ids = image_ids[start : start + chunk]
        if not path.exists():
            tables = [_counted(compute, image_id, progress) for image_id in ids]
            write_table(path, pa.concat_tables(tables), record, provenance)
        else:
            progress.skip(len(ids))
        parts.append(read_table(path, record))
    table = pa.concat_tables(parts) if parts else empty_table(record)
    write_table(out, table, record, provenance)
    remove_parts(folder)
    return table


def _counted(compute: Callable[[int], pa.Table], image_id: int, progress: Progress) -> pa.Table:
    table = compute(image_id)
    progress.step()
    return table
