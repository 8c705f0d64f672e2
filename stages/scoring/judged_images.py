"""Images as they are judged: tables, pseudo-labels and ground truth, walked side by side."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from stages.metrics.label_judge import JudgedImage
from stages.scoring.scored_bags import BAG_COLUMNS, bags_of
from stages.scoring.trails import RULED, chosen_of, refined_of, steps_of
from stages.scoring.truth import Truth
from stages.scoring.written import (
    GRADED_COLUMNS,
    WRITTEN_COLUMNS,
    Written,
    written_in,
    written_of,
)
from stages.tables.grades import GRADES
from stages.tables.proposals import PROPOSALS
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.streams import Cursor, images_of_shards
from stages.tables.trail import TRAIL

READ = {  # table: its record, and the columns that are read
    "proposals": (PROPOSALS, BAG_COLUMNS),
    "pseudo_labels": (PSEUDO_LABELS, WRITTEN_COLUMNS),
    "grades": (GRADES, GRADED_COLUMNS),
    "trails": (TRAIL, ("image_id", "instance_id", "step", "name", "box", "proposal_id", "note")),
}


def judged_images(
    images: Sequence[int],
    labels: Mapping[int, pa.Table],
    tables: Mapping[str, Sequence[Path]],
    *,
    exported: Path | None,
    truth: Truth | None,
) -> Iterator[JudgedImage]:
    """Yield each image with all that is known of it; one is held at a time.

    Parameters
    ----------
    images : ids, rising.
    labels : rows of table `weak_labels` by image, deleted ones left out.
    tables : files of all shards for each of READ.
    exported : export's file; None takes the pseudo-labels as they were graded.

    Raises
    ------
    ValueError : a pseudo-label has no weak label, or a file is not as it should be.
    """
    cursors = {
        name: Cursor(images_of_shards(tables[name], record, columns=columns))
        for name, (record, columns) in READ.items()
    }
    file = Cursor(written_in(exported)) if exported else None
    for image_id in images:
        mine = labels[image_id].to_pylist() if image_id in labels else []
        rows = {name: cursor.rows(image_id) for name, cursor in cursors.items()}
        refined = rows["pseudo_labels"], rows["grades"]
        written = (file.rows(image_id) or {}) if file else written_of(*refined)
        _check_known(written, mine, image_id, exported)
        yield _judged(mine, rows, written, truth.objects(image_id) if truth else None)


def _judged(
    labels: Sequence[Mapping[str, Any]],
    rows: Mapping[str, pa.Table | None],
    written: Written,
    objects: Any,
) -> JudgedImage:
    objects_of = [label for label in labels if label["instance_id"] is not None]
    steps = steps_of(rows["trails"])
    refined = {number: refined_of(taken) for number, taken in steps.items()}
    return JudgedImage(
        classes=_classes(objects_of),
        given={label["instance_id"] for label in objects_of if label["kind"] == "mask"},
        bags=bags_of(rows["proposals"]),
        chosen={number: chosen_of(taken) for number, taken in steps.items()},
        refined={number: boxes for number, boxes in refined.items() if boxes is not None},
        rules=[taken[RULED]["note"] for taken in steps.values() if RULED in taken],
        written=written,
        objects=objects,
        tags=sum(label["kind"] == "tag" for label in labels),
        born=sum(number < 0 for number in written),
    )


def _classes(labels: Sequence[Mapping[str, Any]]) -> dict[int, int]:
    """Class of each instance by its first label, in the labels' order: sums depend on it."""
    classes: dict[int, int] = {}
    for label in labels:
        classes.setdefault(label["instance_id"], label["category_id"])
    return classes


def _check_known(
    written: Written, labels: Sequence[Mapping[str, Any]], image_id: int, path: Path | None
) -> None:
    """Every pseudo-label has a weak label; one born of a tag has a negative id."""
    is_tagged = any(label["kind"] == "tag" for label in labels)
    known = {label["instance_id"] for label in labels}
    strangers = sorted(k for k in written if k not in known and not (k < 0 and is_tagged))
    if strangers:
        where = path or "pseudo_labels"
        raise ValueError(
            f"{where}: instance {strangers[0]} of image {image_id} has no weak label. The files "
            "are of different runs: rerun with -R propose."
        )
