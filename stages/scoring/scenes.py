"""Images as they are scored: tables, pseudo-labels and ground truth, walked side by side."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from stages.metrics.judge import JudgedImage
from stages.scoring.bags import COLUMNS, RECORDS, bags_of, chosen_of
from stages.scoring.truth import Truth
from stages.scoring.written import Written, written_in, written_of
from stages.tables.streams import Cursor, images_of_shards


def scenes_of(
    images: Sequence[int],
    labels: Mapping[int, pa.Table],
    tables: Mapping[str, Sequence[Path]],
    *,
    pseudo_labels: Path | None,
    truth: Truth | None,
) -> Iterator[JudgedImage]:
    """Yield the scene of each image; one image is held at a time.

    Parameters
    ----------
    images : ids, rising.
    labels : rows of table `weak_labels` by image.
    tables : files of all shards for each of RECORDS.
    pseudo_labels : export's file; None takes the masks that refine left.

    Raises
    ------
    ValueError : a pseudo-label has no weak label, or a file is not as it should be.
    """
    cursors = {
        name: Cursor(images_of_shards(tables[name], record, columns=COLUMNS[name]))
        for name, record in RECORDS.items()
    }
    exported = Cursor(written_in(pseudo_labels)) if pseudo_labels else None
    for image_id in images:
        mine = labels[image_id].to_pylist() if image_id in labels else []
        rows = {name: cursor.rows(image_id) for name, cursor in cursors.items()}
        written = (exported.rows(image_id) or {}) if exported else written_of(rows["refinements"])
        _check_known(written, mine, image_id, pseudo_labels)
        yield JudgedImage(
            labels=mine,
            bags=bags_of(rows["proposals"]),
            chosen=chosen_of(rows),
            refined=_refined(rows["refinements"]),
            written=written,
            objects=truth.objects(image_id) if truth else None,
        )


def _refined(rows: pa.Table | None) -> dict[int, dict[str, Any]]:
    found = rows.to_pylist() if rows is not None else []
    return {row["instance_id"]: row for row in found}


def _check_known(
    written: Written, labels: Sequence[Mapping[str, Any]], image_id: int, path: Path | None
) -> None:
    strangers = sorted(written.keys() - {label["instance_id"] for label in labels})
    if strangers:
        where = path or "refinements"
        raise ValueError(
            f"{where}: instance {strangers[0]} of image {image_id} has no weak label. The files "
            "are of different runs: rerun with -R propose."
        )
