"""The IoU of each label's mask with the true object that it fits best, where none is named."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from stages.geometry.masks import rle_iou
from stages.scoring.coco_shapes import CocoShapes
from stages.scoring.judged_images import READ
from stages.scoring.object_ious import ObjectIous
from stages.scoring.written import written_in, written_of
from stages.tables.streams import Cursor, images_of_shards

TABLES = ("pseudo_labels", "grades")


def add_best_ious(
    ious: ObjectIous,
    images: Sequence[int],
    tables: Mapping[str, Sequence[Path]],
    *,
    exported: Path | None,
    truth: CocoShapes,
) -> None:
    """Collect for each label the largest mask IoU with a true object of its class; 0 without one.

    Two labels may fit one object: what is asked is how good a mask is, not how many were found.

    Parameters
    ----------
    images : ids, rising. tables : files of all shards of the tables that are read.
    exported : export's file; None takes the pseudo-labels as refine left them.
    """
    cursors = {name: _cursor(tables, name) for name in TABLES}
    file = Cursor(written_in(exported)) if exported else None
    for image_id in images:
        rows = {name: cursor.rows(image_id) for name, cursor in cursors.items()}
        refined, grades = rows["pseudo_labels"], rows["grades"]
        written = (file.rows(image_id) or {}) if file else written_of(refined, grades)
        if refined is None or not written:
            continue
        objects = truth.objects(image_id)
        classes = {row["instance_id"]: row["category_id"] for row in refined.to_pylist()}
        found = {}
        for instance, label in written.items():
            same = objects.of_class(classes[instance]).rles or []
            found[instance] = float(rle_iou([label.rle], same).max(initial=0.0))
        ious.add(image_id, found)


def _cursor(tables: Mapping[str, Sequence[Path]], name: str) -> Cursor:
    record, columns = READ[name]
    wanted = (*columns, "category_id") if name == "pseudo_labels" else columns
    return Cursor(images_of_shards(tables[name], record, columns=wanted))
