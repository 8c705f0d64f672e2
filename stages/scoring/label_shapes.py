"""Pseudo-labels as arrays, image by image: from export's file, or from the tables."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from stages.geometry.boxes import xywh_to_xyxy
from stages.geometry.masks import Rle, rle_of
from stages.labels.graded import graded
from stages.labels.pseudo_label import pseudo_label_of
from stages.metrics.shapes import Shapes, no_shapes
from stages.scoring.written import WRITTEN_COLUMNS, annotations_in

SHAPE_COLUMNS = (*WRITTEN_COLUMNS, "category_id")


def shapes_in(path: Path) -> Iterator[tuple[int, Shapes]]:
    """Yield (image_id, its pseudo-labels) of export's file, image ids rising.

    Raises
    ------
    ValueError : an annotation is not one of export's, or images are not in order.
    """
    for image_id, entries in annotations_in(path):
        mine = list(entries)
        try:
            shapes = Shapes(
                np.array([entry["category_id"] for entry in mine], dtype=np.int64),
                xywh_to_xyxy(np.array([entry["bbox"] for entry in mine], dtype=np.float64)),
                [_mask_of(entry["segmentation"]) for entry in mine],
                np.array([entry["score"] for entry in mine], dtype=np.float64),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"{path}: an annotation of image {image_id} is no pseudo-label of export "
                f"({error!r}). Give the file that export wrote."
            ) from None
        yield image_id, shapes


def _mask_of(segmentation: dict[str, Any]) -> Rle:
    return rle_of(segmentation["counts"].encode("ascii"), *segmentation["size"])


def shapes_of(pseudo_labels: pa.Table | None, grades: pa.Table | None) -> Shapes:
    """Pseudo-labels of one image as they were graded, and as export writes them untransformed.

    Parameters
    ----------
    pseudo_labels : rows of the table, with SHAPE_COLUMNS; None for no rows.
    grades : of table `grades`, with GRADED_COLUMNS, likewise.
    """
    if pseudo_labels is None or not len(pseudo_labels):
        return no_shapes()
    graded_as = [] if grades is None else grades.to_pylist()
    labels = [pseudo_label_of(row) for row in graded(pseudo_labels.to_pylist(), graded_as)]
    return Shapes(
        pseudo_labels.column("category_id").to_numpy().astype(np.int64),
        np.stack([label.trained_box for label in labels]).astype(np.float64),
        [label.rle for label in labels],
        np.array([label.score for label in labels], dtype=np.float64),
    )
