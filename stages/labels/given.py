"""Masks that a person gave: passed through as pseudo-labels, byte for byte."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from stages.geometry.masks import rle_boxes, rle_iou, rle_of
from stages.labels.by_instance import given_mask, labels_of_instances
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.table import rows_table
from stages.tables.trail import TRAIL

SAME = 0.5  # IoU from which what was born of a tag is an object that a person has seen to


def given_masks(image: Mapping[str, Any], labels: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Rows of the tables `pseudo_labels` and `trail` of the objects that have a given mask.

    Of several masks of an object a corrected one counts before an accepted one, and that before
    one that was there from the start; then the one with the highest label_id.

    Parameters
    ----------
    image : row of table `images`. labels : its rows of table `weak_labels`.
    """
    rows, trail = [], []
    for instance, mine in labels_of_instances(labels).items():
        masks = [row for row in mine if row["kind"] == "mask"]
        if masks:
            best = given_mask(masks)
            rows.append(_passed(image, instance, best, [row["label_id"] for row in mine]))
            trail.append(_step(rows[-1]))
    return rows_table(PSEUDO_LABELS, rows), rows_table(TRAIL, trail)


def born_again(made: pa.Table, labels: pa.Table) -> list[int]:
    """Objects born of tags that a person has seen to before: their ids.

    Such is one whose mask overlaps a mask of its class that was given, mended or deleted.

    Parameters
    ----------
    made : rows of table `pseudo_labels` of one image. labels : of `weak_labels`, deleted ones too.
    """
    masks = [row for row in labels.to_pylist() if row["kind"] == "mask"]
    born = [row for row in made.to_pylist() if row["instance_id"] < 0] if masks else []
    found = []
    for row in born:
        size = row["height"], row["width"]
        same = [rle_of(m["rle"], *size) for m in masks if m["category_id"] == row["category_id"]]
        if rle_iou([rle_of(row["rle"], *size)], same).max(initial=0.0) >= SAME:
            found.append(row["instance_id"])
    return found


def _passed(
    image: Mapping[str, Any], instance: int, mask: Mapping[str, Any], label_ids: list[int]
) -> dict[str, Any]:
    hull = rle_boxes([rle_of(mask["rle"], image["height"], image["width"])])[0]
    return {
        "image_id": image["image_id"],
        "instance_id": instance,
        "label_ids": label_ids,
        "category_id": mask["category_id"],
        "box": hull.tolist(),
        "box_given": False,
        "rle": mask["rle"],
        "height": image["height"],
        "width": image["width"],
        "score": 1.0,
        "mask_quality": 1.0,
        "mask_source": "given",
        "extra_rles": [],
        "mask_weight": 1.0,
    }


def _step(row: Mapping[str, Any]) -> dict[str, Any]:
    """The one step on the way to a given mask."""
    ids = {"image_id": row["image_id"], "instance_id": row["instance_id"], "step": 0}
    return {**ids, "name": "given", "box": row["box"], "note": ""}
