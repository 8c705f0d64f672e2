"""Pseudo-labels as they are scored, image by image: from export's file, or from the tables."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from stages.formats.exported import entries_of
from stages.geometry.boxes import xywh_to_xyxy
from stages.geometry.masks import Rle, rle_of
from stages.labels.agreement import box_agreement
from stages.labels.graded import graded
from stages.labels.pseudo_label import pseudo_label_of
from stages.metrics.object_quality import WrittenLabel

WRITTEN_COLUMNS = (
    *("image_id", "instance_id", "box", "box_given", "rle", "height", "width", "score"),
    *("mask_quality", "mask_weight"),
)
GRADED_COLUMNS = ("score", "mask_quality", "reasons")
Written = dict[int, WrittenLabel]  # by instance


def written_in(path: Path) -> Iterator[tuple[int, Written]]:
    """Yield (image_id, its pseudo-labels) of export's file, image ids rising.

    Raises
    ------
    ValueError : an annotation is not one of export's, an instance has two, or images are not in
        order.
    """
    for image_id, entries in annotations_in(path):
        yield image_id, _by_instance(entries, path)


def results_in(path: Path) -> list[dict[str, Any]]:
    """All labels of export's file as COCO results; masks of weight 0 among them."""
    names = ("image_id", "category_id", "bbox", "score", "segmentation")
    return [
        {name: entry[name] for name in names}
        for _, entries in annotations_in(path)
        for entry in entries
    ]


def annotations_in(path: Path) -> Iterator[tuple[int, Iterator[dict[str, Any]]]]:
    """Yield (image_id, its annotations) of export's file, image ids rising.

    Raises
    ------
    ValueError : images are not in order.
    """
    annotations = (entry for name, entry in entries_of(path) if name == "annotations")
    last = -1
    for image_id, entries in groupby(annotations, key=lambda entry: entry.get("image_id", -1)):
        if image_id <= last:
            raise ValueError(
                f"{path}: image {image_id} comes after image {last}. Rerun export, which writes "
                "annotations in the order of image ids."
            )
        last = image_id
        yield image_id, entries


def _by_instance(entries: Iterator[dict[str, Any]], path: Path) -> Written:
    found: Written = {}
    for entry in entries:
        try:
            instance, label = entry["provenance"]["instance_id"], _label(entry)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"{path}: annotation {entry.get('id')} is no pseudo-label of export ({error!r}). "
                "Give the file that export wrote."
            ) from None
        if instance in found:
            raise ValueError(f"{path}: instance {instance} has two annotations. Rerun export.")
        found[instance] = label
    return found


def _label(entry: dict[str, Any]) -> WrittenLabel:
    mask = entry["segmentation"]
    rle = rle_of(mask["counts"].encode("ascii"), *mask["size"])
    box = xywh_to_xyxy(np.array(entry["bbox"], dtype=np.float64))
    given = box if entry["provenance"].get("box_given") else None
    trusted = entry["mask_weight"] > 0
    return WrittenLabel(rle, box, entry["score"], trusted, _agreement(rle, given))


def _agreement(rle: Rle, given: np.ndarray | None) -> dict[str, float]:
    """Agreement of a mask with the box that a person gave, in each way; empty without a box."""
    if given is None:
        return {}
    return {
        "half_open": box_agreement(rle, given),
        "authors": box_agreement(rle, given, "authors"),
    }


def written_of(pseudo_labels: pa.Table | None, grades: pa.Table | None) -> Written:
    """Pseudo-labels of one image as they were graded, and as export writes them untransformed.

    Parameters
    ----------
    pseudo_labels : rows of the table, with WRITTEN_COLUMNS; None for no rows.
    grades : of table `grades`, with GRADED_COLUMNS, likewise.
    """
    rows, graded_as = (
        table.to_pylist() if table is not None else [] for table in (pseudo_labels, grades)
    )
    labels = map(pseudo_label_of, graded(rows, graded_as))
    return {
        label.instance_id: WrittenLabel(
            label.rle,
            label.trained_box.astype(np.float64),
            label.score,
            label.mask_weight > 0,
            _agreement(label.rle, label.given),
        )
        for label in labels
    }
