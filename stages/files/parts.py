"""Resuming inside a shard: finished chunks of images wait in `<output>.parts/<fingerprint>/`.

The fingerprint covers everything that decides the content (settings, code, checksums, image ids),
so parts of another version are never mixed in. The folder goes when the table is complete.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from stages.files.program import Progress
from stages.files.provenance import fingerprint, sha256_of
from stages.files.records import Record, empty_table, read_table, write_table


def parts_folder(
    out: Path, provenance: Mapping[str, Any], items: Sequence[int], *, inputs: Sequence[Path] = ()
) -> Path:
    """Folder of the work in progress on `out`; folders of other fingerprints are removed.

    Parameters
    ----------
    items : what is worked on, such as image ids.
    inputs : files whose content decides the result.
    """
    base = out.parent / f"{out.name}.parts"
    digests = [sha256_of(path) for path in inputs]
    folder = base / fingerprint({**provenance, "items": list(items), "inputs": digests})
    for other in base.glob("*"):
        if other != folder:
            shutil.rmtree(other)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def remove_parts(folder: Path) -> None:
    """Remove the work in progress of an output that is complete."""
    shutil.rmtree(folder.parent)


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
