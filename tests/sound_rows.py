"""A sound row of each table, of which a test changes what it is about."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stages.geometry.masks import masks_to_rles
from stages.tables.grades import NUMBERS
from stages.tables.headers import KEY, ROWS
from stages.tables.record import Record
from stages.tables.table import rows_table, write_table

Row = dict[str, Any]
SIZE = 4, 6  # px, height and width
MASK = masks_to_rles(np.ones((1, *SIZE), dtype=np.uint8))[0]["counts"]
BOX = [0.0, 1.0, 2.0, 3.5]


def image_row(image_id: int = 1, **changes: Any) -> Row:
    """Of table `images`."""
    row = {"image_id": image_id, "file_name": f"{image_id}.png", "height": SIZE[0]}
    row |= {"width": SIZE[1], "shard": 0, "orientation": 1, "black": None, "white": None}
    return {**row, "digest": "ab", **changes}


def category_row(category_id: int = 1, **changes: Any) -> Row:
    """Of table `categories`."""
    return {"category_id": category_id, "name": "thing", "supercategory": "", **changes}


def label_row(image_id: int = 1, label_id: int = 3, **changes: Any) -> Row:
    """Of table `weak_labels`: a point, of the object that bears the label's id."""
    row = {"image_id": image_id, "label_id": label_id, "kind": "point", "category_id": 1}
    row |= {"instance_id": label_id, "bag_id": label_id, "x": 1.5, "y": 2.25, "status": "given"}
    return {**row, "box": None, "rle": None, **changes}


def tag_row(image_id: int = 1, label_id: int = 9, **changes: Any) -> Row:
    """Of table `weak_labels`: a tag."""
    tag = {"kind": "tag", "instance_id": None, "bag_id": -1, "x": None, "y": None}
    return label_row(image_id, label_id, **tag, **changes)


def prompt_row(image_id: int = 1, bag_id: int = 3, **changes: Any) -> Row:
    """Of table `prompts`: a point."""
    row = {"image_id": image_id, "bag_id": bag_id, "prompt_id": 0, "kind": "point", "box": None}
    row |= {"points": [[1.5, 2.25]], "point_signs": [1], "category_id": 1}
    return {**row, "value": None, "source_map": None, **changes}


def proposal_row(image_id: int = 1, bag_id: int = 3, proposal_id: int = 0, **changes: Any) -> Row:
    """Of table `proposals`: an answer to the label's own prompt."""
    row = {"image_id": image_id, "bag_id": bag_id, "proposal_id": proposal_id}
    row |= {"prompt_kind": "point", "prompt_id": 0, "derived": None, "mask_index": 0}
    row |= {"category_id": None, "box": BOX, "area": 24, "rle": MASK, "soft": None}
    row |= {"height": SIZE[0], "width": SIZE[1], "predicted_iou": 0.875, "stability": 0.5}
    return {**row, "valid": True, **changes}


def selection_row(image_id: int = 1, bag_id: int = 3, proposal_id: int = 0, **changes: Any) -> Row:
    """Of table `selections`."""
    row = {"image_id": image_id, "bag_id": bag_id, "proposal_id": proposal_id, "category_id": 1}
    row |= {"score": 0.25, "selected": True, "bag_score": 0.5, "box": None}
    return {**row, **dict.fromkeys(("score_cls", "score_ins", "score_dis"), 0.5), **changes}


def pseudo_label_row(image_id: int = 1, instance_id: int = 3, **changes: Any) -> Row:
    """Of table `pseudo_labels`: a proposal that stands for a point."""
    row = {"image_id": image_id, "instance_id": instance_id, "label_ids": [instance_id]}
    row |= {"category_id": 1, "box": BOX, "box_given": False, "rle": MASK, "height": SIZE[0]}
    row |= {"width": SIZE[1], "score": 0.5, "mask_quality": 0.75, "mask_source": "proposal"}
    row |= {"proposal_id": 0, "extra_rles": [], "ignore_rle": None, "mask_weight": 1.0}
    return {**row, **changes}


def grade_row(image_id: int = 1, instance_id: int = 3, **changes: Any) -> Row:
    """Of table `grades`: as the method says, without evidence."""
    row = {"image_id": image_id, "instance_id": instance_id, "kind": "point", "score": 0.5}
    return {**row, "mask_quality": 0.75, "reasons": [], **dict.fromkeys(NUMBERS), **changes}


def judged_object_row(image_id: int = 1, instance_id: int = 3, **changes: Any) -> Row:
    """Of table `judged_objects`."""
    return {"image_id": image_id, "instance_id": instance_id, "mask_iou": 0.5, **changes}


def own_grades(labels: Sequence[Row]) -> list[Row]:
    """Of table `grades`: what the methods say of these rows of table `pseudo_labels`."""
    names = ("image_id", "instance_id", "score", "mask_quality")
    return [grade_row(**{name: row[name] for name in names}) for row in labels]


def trail_row(image_id: int = 1, instance_id: int = 3, step: int = 0, **changes: Any) -> Row:
    """Of table `trail`: select's choice."""
    row = {"image_id": image_id, "instance_id": instance_id, "step": step, "name": "psm"}
    return {**row, "box": BOX, "proposal_id": 0, "score": 0.25, "note": "", **changes}


def prediction_row(image_id: int = 1, prediction_id: int = 0, **changes: Any) -> Row:
    """Of table `predictions`."""
    row = {"image_id": image_id, "prediction_id": prediction_id, "category_id": 1, "box": BOX}
    return {**row, "score": 0.5, "rle": MASK, "height": SIZE[0], "width": SIZE[1], **changes}


def label_score_row(image_id: int = 1, instance_id: int = 3, **changes: Any) -> Row:
    """Of table `label_scores`."""
    return {"image_id": image_id, "instance_id": instance_id, "score": 0.25, **changes}


def zoomed_row(image_id: int = 1, question: int = 0, **changes: Any) -> Row:
    """Of table `zoomed`."""
    row = {"image_id": image_id, "question": question, "box": BOX, "rle": MASK}
    return {**row, "height": SIZE[0], "width": SIZE[1], **changes}


def boxed_row(image_id: int = 1, question: int = 0, **changes: Any) -> Row:
    """Of table `boxed`."""
    return {**zoomed_row(image_id, question), "predicted_iou": 0.5, **changes}


def prototype_row(image_id: int = 1, category_id: int = 1, **changes: Any) -> Row:
    """Of table `prototype_sums`: two prototypes of two numbers."""
    row = {"image_id": image_id, "category_id": category_id, "counts": [2, 1]}
    return {**row, "sums": [1.0, 0.5, 0.0, 1.0], **changes}


def write_rows(path: Path, record: Record, rows: Sequence[Row], **header: Any) -> Path:
    """A table of these rows; `header` : its provenance."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_table(path, rows_table(record, rows), record, {"seed": 3, **header})
    return path


def write_unchecked(path: Path, record: Record, table: pa.Table, **header: Any) -> Path:
    """A table with the header of a sound one, whatever it holds."""
    facts = {"schema": record.name, "version": record.version, "seed": 3, **header}
    metadata = {KEY: json.dumps(facts), ROWS: str(len(table))}
    pq.write_table(table.replace_schema_metadata(metadata), path)
    return path


def write_shards(
    folder: Path, name: str, record: Record, rows: Sequence[Row], count: int, **header: Any
) -> list[Path]:
    """`folder/name-0000-of-0002.parquet` and so on; image k lies in shard k modulo `count`."""
    paths = []
    for number in range(count):
        shard = f"{number:04d}-of-{count:04d}"
        mine = [row for row in rows if row["image_id"] % count == number]
        path = folder / f"{name}-{shard}.parquet"
        paths.append(write_rows(path, record, mine, shard=shard, **header))
    return paths
