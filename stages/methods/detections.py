"""What a selector of tags has detected in an image: per class the boxes that survived, with scores.

In come rows of the tables `weak_labels`, `proposals` and `selections` of one image; out go
detections of the classes that its tags name. Where a person has given or deleted a mask of a class,
detections that lie on it say nothing new and are left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stages.geometry.boxes import box_iou, clip_boxes
from stages.labels.tags import tags_of
from stages.tables.selections import moved_boxes
from stages.tables.table import boxes_of
from stages.tables.weak_labels import TAG_BAG

SAME_OBJECT = 0.5  # IoU of boxes: WeakSAM's and VOC's measure of a hit


@dataclass(frozen=True, slots=True)
class Detections:
    """Those of one class in one image, in the order of their proposals.

    category_id, label_id : of the tag. proposal_id : (n,) int. boxes : (n, 4) float64 xyxy px, each
    with an area. scores : (n,) float64. bag_score : of the class in the image, 0 to 1.
    """

    category_id: int
    label_id: int
    proposal_id: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray
    bag_score: float


def detections_of(
    image: Mapping[str, Any], labels: pa.Table, proposals: pa.Table, scores: pa.Table
) -> list[Detections]:
    """The detections of each tag, by class; a tag without any has none.

    Parameters
    ----------
    image : row of table `images`. labels, proposals, scores : rows of the tables of this image,
        the latter two of the bag of its tags.

    Raises
    ------
    ValueError : a proposal has no score for a tag: pseudo ground truth is taken from detections
        without a threshold, since its scores are relative.
    """
    bag = proposals.filter(pc.equal(proposals.column("bag_id"), TAG_BAG))
    known = _known_boxes(labels)
    found = []
    for category_id, label_id in tags_of(labels).items():
        rows = scores.filter(
            pc.and_(
                pc.equal(scores.column("bag_id"), TAG_BAG),
                pc.equal(scores.column("category_id"), category_id),
            )
        )
        _check_whole(rows, bag, category_id, image["image_id"])
        moved = moved_boxes(rows, boxes_of(bag).astype(np.float64))
        boxes = clip_boxes(moved, image["height"], image["width"])
        kept = _standing(rows, bag, boxes, known.get(category_id, np.zeros((0, 4))))
        found.append(_detections(rows, boxes, kept, category_id, label_id))
    return found


def _check_whole(rows: pa.Table, bag: pa.Table, category_id: int, image_id: int) -> None:
    if not rows.column("proposal_id").equals(bag.column("proposal_id")):
        raise ValueError(
            f"image {image_id}: select has scores of {len(rows)} of {len(bag)} proposals for class "
            f"{category_id}, and pseudo ground truth needs all of them, without a threshold. "
            "Choose a selector of tags (select.method: oicr or mist), or rerun with -R select."
        )


def _standing(rows: pa.Table, bag: pa.Table, boxes: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Numbers of the rows that count: selected, with a mask, beside what a person has said."""
    chosen = rows.column("selected").to_numpy(zero_copy_only=False)
    valid = bag.column("valid").to_numpy(zero_copy_only=False)
    new = ~(box_iou(boxes, known) >= SAME_OBJECT).any(axis=1)
    return np.flatnonzero(chosen & valid & new)


def _detections(
    rows: pa.Table, boxes: np.ndarray, kept: np.ndarray, category_id: int, label_id: int
) -> Detections:
    bag_scores = rows.column("bag_score").to_pylist()
    return Detections(
        category_id,
        label_id,
        rows.column("proposal_id").to_numpy()[kept],
        boxes[kept],
        rows.column("score").to_numpy()[kept].astype(np.float64),
        bag_scores[0] if bag_scores else 0.0,
    )


def _known_boxes(labels: pa.Table) -> dict[int, np.ndarray]:
    """Boxes of the masks that a person gave or deleted, (n, 4) by class."""
    found: dict[int, list[list[float]]] = {}
    for row in labels.select(["kind", "category_id", "box"]).to_pylist():
        if row["kind"] == "mask":
            found.setdefault(row["category_id"], []).append(row["box"])
    return {key: np.array(boxes, dtype=np.float64) for key, boxes in found.items()}
