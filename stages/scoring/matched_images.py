"""Images as they are judged by IoU: tables, labels and ground truth, walked side by side.

What `judged_images` is for labels that come from known objects. No instance id is looked at, so
labels of tags and files of others are judged as well.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from stages.metrics.match_judge import MatchedImage
from stages.metrics.shapes import Shapes, no_shapes
from stages.scoring.coco_shapes import CocoShapes
from stages.scoring.label_shapes import SHAPE_COLUMNS, shapes_in, shapes_of
from stages.scoring.tag_detections import OFFERED, SCORED, offered_boxes, tag_detections
from stages.scoring.written import GRADED_COLUMNS
from stages.tables.grades import GRADES
from stages.tables.proposals import PROPOSALS
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.selections import SELECTIONS
from stages.tables.streams import Cursor, images_of_shards
from stages.tables.table import read_table
from stages.tables.weak_labels import WEAK_LABELS

READ = {  # table: its record, and the columns that are read
    "proposals": (PROPOSALS, OFFERED),
    "selections": (SELECTIONS, SCORED),
    "pseudo_labels": (PSEUDO_LABELS, SHAPE_COLUMNS),
    "grades": (GRADES, GRADED_COLUMNS),
}


def is_by_iou(match: str, weak_labels: Path) -> bool:
    """Whether labels and objects are matched by IoU; auto: where all weak labels are tags."""
    if match != "auto":
        return match == "iou"
    kinds = read_table(weak_labels, WEAK_LABELS).column("kind")
    return set(kinds.unique().to_pylist()) == {"tag"}


class Labels(Protocol):
    """Where the pseudo-labels of an image come from; images are asked for in rising order."""

    def of(self, image_id: int, refined: pa.Table | None, grades: pa.Table | None) -> Shapes | None:
        """Those of one image; None where no labels were given at all.

        refined, grades : its rows of the tables `pseudo_labels` and `grades`.
        """


class RefinedLabels:
    """Labels as refine left them, and as they were graded."""

    def of(self, image_id: int, refined: pa.Table | None, grades: pa.Table | None) -> Shapes | None:
        """Those of the rows."""
        return shapes_of(refined, grades)


class ExportedLabels:
    """Labels of export's file, one image in memory."""

    def __init__(self, path: Path):
        self._file = Cursor(shapes_in(path))

    def of(self, image_id: int, refined: pa.Table | None, grades: pa.Table | None) -> Shapes | None:
        """Those of the file."""
        found: Any = self._file.rows(image_id)
        return no_shapes() if found is None else found


class StrangeLabels:
    """Labels of anybody's COCO file, which is held as a whole; without a file there are none."""

    def __init__(self, file: CocoShapes | None):
        self._file = file

    def of(self, image_id: int, refined: pa.Table | None, grades: pa.Table | None) -> Shapes | None:
        """Those of the file."""
        return self._file.objects(image_id) if self._file else None


def matched_images(
    images: Sequence[int],
    labels: Mapping[int, pa.Table],
    tables: Mapping[str, Sequence[Path]] | None,
    *,
    given: Labels,
    truth: CocoShapes | None,
) -> Iterator[MatchedImage]:
    """Yield each image with all that is known of it; one is held at a time.

    Parameters
    ----------
    images : ids, rising.
    labels : rows of table `weak_labels` by image, deleted ones left out.
    tables : files of all shards for each of READ; None where labels alone are judged.
    given : the pseudo-labels.

    Raises
    ------
    ValueError : a file is not as it should be.
    """
    cursors = _cursors(tables) if tables else {}
    for image_id in images:
        rows = {name: cursor.rows(image_id) for name, cursor in cursors.items()}
        offered, scored = rows.get("proposals"), rows.get("selections")
        yield MatchedImage(
            tags=_tags(labels.get(image_id)),
            labels=given.of(image_id, rows.get("pseudo_labels"), rows.get("grades")),
            proposals=offered_boxes(offered) if tables else None,
            detections=tag_detections(offered, scored),
            objects=truth.objects(image_id) if truth else None,
            ignored=truth.crowds(image_id) if truth else None,
        )


def _cursors(tables: Mapping[str, Sequence[Path]]) -> dict[str, Cursor]:
    return {
        name: Cursor(images_of_shards(tables[name], record, columns=columns))
        for name, (record, columns) in READ.items()
    }


def _tags(labels: pa.Table | None) -> set[int]:
    """Classes of the tags of one image."""
    rows = labels.to_pylist() if labels is not None else []
    return {row["category_id"] for row in rows if row["kind"] == "tag"}
