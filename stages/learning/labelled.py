"""What the labels of an image say about each bag: a point, perhaps a box, a class.

A bag answers the points and boxes of one object, or all tags of an image. A mask needs no bag, and
a label that a person has deleted counts for nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stages.runtime.program import Sentence
from stages.tables.keys import check_same, keys_of
from stages.tables.weak_labels import TAG_BAG

PROMPTED = ("point", "box")  # kinds of labels that have a bag
LABEL_COLUMNS = (  # of table `weak_labels`: all that bags are made of
    *("image_id", "label_id", "kind", "category_id", "instance_id", "bag_id"),
    *("x", "y", "box", "status"),
)


@dataclass(frozen=True, slots=True)
class Labelled:
    """One object that is to be found in its bag.

    Attributes
    ----------
    point : x, y px: its point, or the centre of its box where it has none.
    box : xyxy px that a person gave, or None.
    """

    category_id: int
    point: tuple[float, float]
    box: tuple[float, float, float, float] | None


def labelled_bags(labels: pa.Table) -> dict[int, Labelled]:
    """What is known of each bag of one image; of several points or boxes the first ones count.

    Parameters
    ----------
    labels : rows of table `weak_labels` of the image, with LABEL_COLUMNS at least.
    """
    rows: dict[int, list[dict[str, Any]]] = {}
    for row in prompted(labels).select(LABEL_COLUMNS).to_pylist():
        rows.setdefault(row["bag_id"], []).append(row)
    return {bag_id: _labelled(rows[bag_id]) for bag_id in sorted(rows)}


def prompted(labels: pa.Table, kinds: Sequence[str] = PROMPTED) -> pa.Table:
    """The labels that have a bag of their object, or all of other `kinds` that count."""
    kind = pc.is_in(labels.column("kind"), pa.array(kinds))
    return labels.filter(pc.and_(kind, pc.not_equal(labels.column("status"), "deleted")))


def check_bags(proposals: pa.Table, labels: pa.Table, where: Path) -> None:
    """Raise ValueError unless every labelled object has its bag in `where`, and no other has.

    The tags of an image have one too, where there are such bags at all: prompts that are made of
    labels alone ask nothing for a tag.
    """
    seen, wanted = keys_of(proposals, "bag_id"), keys_of(prompted(labels), "bag_id")
    if TAG_BAG in proposals.column("bag_id").unique().to_pylist():
        wanted |= keys_of(prompted(labels, ("tag",)), "bag_id")
    check_same(seen, wanted, what="bags", where=where)


def tally(images: int, proposals: pa.Table) -> Sentence:
    """How many objects, or images by their tags, have a bag, and how many have empty masks only.

    Parameters
    ----------
    proposals : rows of whole images with image_id, bag_id and valid.
    """
    image, bag = (proposals.column(name).to_numpy() for name in ("image_id", "bag_id"))
    changed = (image[1:] != image[:-1]) | (bag[1:] != bag[:-1])
    starts = np.flatnonzero(np.concatenate([[len(image) > 0], changed]))
    valid = proposals.column("valid").to_numpy(zero_copy_only=False)
    full = np.logical_or.reduceat(valid, starts) if len(starts) else np.zeros(0, bool)
    tags = int((bag[starts] == TAG_BAG).sum()) if len(starts) else 0
    objects = f"{len(starts) - tags} objects" + (f", {tags} images with tags" if tags else "")
    return f"{images} images, {objects}, {(~full).sum()} with empty masks only"


def _labelled(rows: list[dict[str, Any]]) -> Labelled:
    points = [(row["x"], row["y"]) for row in rows if row["kind"] == "point"]
    boxes = [tuple(row["box"]) for row in rows if row["kind"] == "box"]
    centres = [((x0 + x1) / 2, (y0 + y1) / 2) for x0, y0, x1, y1 in boxes]
    point = [*points, *centres][0]
    return Labelled(rows[0]["category_id"], point, boxes[0] if boxes else None)
