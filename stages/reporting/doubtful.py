"""The most doubtful labels of a run as a list: a line each, ranked as the page ranks them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stages.reporting.page.ranking import most_doubtful_first
from stages.reporting.tag_trail import Row
from stages.reporting.trail_tables import TrailTables, incomplete
from stages.reporting.trail_text import reasons_text
from stages.tables.categories import CATEGORIES
from stages.tables.grades import GRADES
from stages.tables.images import IMAGES
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.table import read_table, read_tables

COLUMNS = ("image_id", "instance_id", "category_id", "score", "mask_quality", "mask_source")
KEY = ["image_id", "instance_id"]
VERDICT = ("score", "mask_quality", "reasons")
HEADS = "    n  quality  score  source      class             image  instance  file"
LEGEND = (
    "quality: mask IoU that is expected, 0 to 1; the list goes by it, the lowest first",
    "score: how sure it is that the label is right, 0 to 1; source: where the mask comes from",
)


@dataclass(frozen=True, slots=True)
class Doubtful:
    """The most doubtful labels.

    rows : of table `pseudo_labels`, with `class` and `file_name`, and with score, quality and
    `reasons` of table `grades` where that is there. of : labels they were chosen of.
    partly : what of the tables is there, such as "3 of 4 shards"; None: all.
    """

    rows: Sequence[Row]
    of: int
    partly: str | None


def most_doubtful(tables: TrailTables, most: int, category_id: int | None) -> Doubtful:
    """The `most` most doubtful labels, of one class or of all.

    Raises
    ------
    ValueError : no labels are there yet.
    """
    if not tables.pseudo_labels:
        raise ValueError(
            "--worst: refine is not done yet, so there are no labels to rank. Look at one image "
            "with --image."
        )
    labels = _graded(read_tables(tables.pseudo_labels, PSEUDO_LABELS, columns=COLUMNS), tables)
    if category_id is not None:
        labels = labels.filter(pc.equal(labels.column("category_id"), category_id))
    order = most_doubtful_first(-labels.column("mask_quality").to_numpy())[:most]
    rows = labels.take(order).to_pylist()
    named = _with_names(rows, tables.categories, tables.images)
    return Doubtful(named, len(labels), incomplete(tables.pseudo_labels))


def _graded(labels: pa.Table, tables: TrailTables) -> pa.Table:
    """The labels as they were graded; as their methods say where grade is not done for all."""
    if len(tables.grades) != len(tables.pseudo_labels):
        return labels
    grades = read_tables(tables.grades, GRADES, columns=(*KEY, *VERDICT))
    if not grades.select(KEY).equals(labels.select(KEY)):
        return labels  # of an earlier run
    for name in VERDICT:
        there = name in labels.column_names
        labels = labels.drop_columns([name]) if there else labels
        labels = labels.append_column(name, grades.column(name))
    return labels


def _with_names(rows: Sequence[Row], categories: Path, images: Path) -> list[Row]:
    """The rows, each with the names of its class and of its file."""
    classes = {
        row["category_id"]: row["name"] for row in read_table(categories, CATEGORIES).to_pylist()
    }
    table = read_table(images, IMAGES, columns=["image_id", "file_name"])
    places = np.searchsorted(table.column("image_id").to_numpy(), [r["image_id"] for r in rows])
    files = table.column("file_name").take(places.astype(np.int64)).to_pylist()
    return [
        {**row, "class": classes[row["category_id"]], "file_name": file}
        for row, file in zip(rows, files, strict=True)
    ]


def worst_text(found: Doubtful, of_class: str | None) -> str:
    """The list as lines for a terminal."""
    kind = "labels" if of_class is None else f"labels of class {of_class}"
    partly = f", of the {found.partly} that are there yet" if found.partly else ""
    lines = [f"the {len(found.rows)} most doubtful of {found.of} {kind}{partly}"]
    if not found.rows:
        return lines[0]
    return "\n".join([*lines, HEADS, *(_line(k, r) for k, r in enumerate(found.rows, 1)), *LEGEND])


def _line(place: int, row: Row) -> str:
    return (
        f"  {place:3d}    {row['mask_quality']:.3f}  {row['score']:.3f}  {row['mask_source']:10s}  "
        f"{row['class']:14s}  {row['image_id']:7d}  {row['instance_id']:8d}  {row['file_name']}"
        f"{_why(row)}"
    )


def _why(row: Row) -> str:
    """What speaks against a label, on a line of its own."""
    reasons = reasons_text(row) if row.get("reasons") else ""
    return f"\n         {reasons}" if reasons else ""
