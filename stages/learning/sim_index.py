"""What SIM's teacher learns from: boxes with classes, and the pseudo masks of the round before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stages.runtime.program import Sentence
from stages.tables.images import IMAGES
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.table import read_table, read_tables, rows_by_image
from stages.tables.weak_labels import WEAK_LABELS

LABEL_COLUMNS = ("image_id", "label_id", "kind", "category_id", "instance_id", "box", "status")
FORMER_COLUMNS = ("image_id", "instance_id", "rle", "ignore_rle", "score", "mask_weight")


@dataclass(frozen=True, slots=True)
class Objects:
    """The objects of one image.

    boxes : (g, 4) float64 xyxy px of the image. classes : (g,) int64, places among the classes.
    former : (g,) rows of the round before with rle, ignore_rle, score and mask_weight, or None.
    """

    boxes: np.ndarray
    classes: np.ndarray
    former: list[Mapping[str, Any] | None]


@dataclass(frozen=True, slots=True)
class TeacherIndex:
    """What there is to learn from.

    Attributes
    ----------
    images : rows of table `images` by id. objects : of each image that has any, by id.
    category_ids : of all classes, rising.
    """

    images: Mapping[int, Mapping[str, Any]]
    objects: Mapping[int, Objects]
    category_ids: list[int]

    @property
    def image_ids(self) -> list[int]:
        """Of the images that have an object, rising."""
        return list(self.objects)

    def tally(self) -> Sentence:
        """How much there is, for the log."""
        boxes = sum(len(each.boxes) for each in self.objects.values())
        masks = sum(row is not None for each in self.objects.values() for row in each.former)
        said = f", {masks} pseudo masks" if masks else ""
        return f"{boxes} boxes of {len(self.category_ids)} classes{said}"


def opened_objects(
    images: Path, weak_labels: Path, former: Sequence[Path] | None = None
) -> TeacherIndex:
    """All boxes with their classes and, in a later round, their pseudo masks.

    Parameters
    ----------
    former : files of table `pseudo_labels`, those of the round before.

    Raises
    ------
    ValueError : there are no boxes.
    """
    rows = {row["image_id"]: row for row in read_table(images, IMAGES).to_pylist()}
    labels = _labels(weak_labels)
    classes = sorted({row["category_id"] for found in labels.values() for row in found})
    masks = _former(former or ())
    objects = {
        image_id: Objects(
            np.array([row["box"] for row in found], dtype=np.float64),
            np.searchsorted(classes, [row["category_id"] for row in found]).astype(np.int64),
            [masks.get((image_id, row["instance_id"])) for row in found],
        )
        for image_id, found in labels.items()
    }
    return TeacherIndex(rows, objects, classes)


def _labels(path: Path) -> dict[int, list[dict[str, Any]]]:
    """The boxes of each image that has any, by label_id."""
    table = read_table(path, WEAK_LABELS, columns=LABEL_COLUMNS)
    found = {
        image_id: [row for row in rows.to_pylist() if _is_box(row)]
        for image_id, rows in rows_by_image(table).items()
    }
    kept = {image_id: rows for image_id, rows in found.items() if rows}
    if not kept:
        raise ValueError(
            f"{path}: there are no boxes to learn from. Set prepare.labels: box, which makes boxes "
            "of all masks, or take a segmenter that needs no training."
        )
    return kept


def _is_box(row: Mapping[str, Any]) -> bool:
    return bool(row["kind"] == "box" and row["status"] != "deleted")


def _former(paths: Sequence[Path]) -> dict[tuple[int, int], dict[str, Any]]:
    """Rows by (image_id, instance_id); those without a pixel or a weight are left out."""
    if not paths:
        return {}
    rows = read_tables(paths, PSEUDO_LABELS, columns=FORMER_COLUMNS).to_pylist()
    return {(row["image_id"], row["instance_id"]): row for row in rows if row["mask_weight"] > 0}
