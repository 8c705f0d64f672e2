"""What speaks for or against a pseudo-label, as numbers, without ground truth.

In come the rows of one image in the tables `weak_labels`, `proposals`, `selections` and
`pseudo_labels`; out goes an array with a row for each pseudo-label and a column for each name of
EVIDENCE. What a method does not have is NaN: the models of this room take that for a value of its
own. Not from a paper; `additive` says whose the model is.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from stages.geometry.masks import Rle, rle_areas, rle_of, rles_to_masks
from stages.grading.bag_evidence import BAG_EVIDENCE, Bag, bag_evidence
from stages.grading.crowding import CROWDING, crowding
from stages.grading.mask_evidence import MASK_EVIDENCE, mask_evidence

EVIDENCE: dict[str, str] = {**BAG_EVIDENCE, **CROWDING, **MASK_EVIDENCE}  # name: what it may mean
KINDS = ("point", "box", "tag")  # of labels that are graded; masks that were given are not
TAGS = -1  # bag_id of the bag of an image's tags
Row = Mapping[str, Any]


def kind_of(label: Row) -> str:
    """One of KINDS, or mask: a box where a person gave one, a tag where no object was named.

    Parameters
    ----------
    label : row of table `pseudo_labels`.
    """
    if label["mask_source"] == "given":
        return "mask"
    if label["instance_id"] < 0:
        return "tag"
    return "box" if label["box_given"] else "point"


def evidence_of(
    labels: Sequence[Row],
    weak_labels: Sequence[Row],
    proposals: Sequence[Row],
    selections: Sequence[Row],
) -> np.ndarray:
    """Evidence about the pseudo-labels of one image.

    Parameters
    ----------
    labels : rows of table `pseudo_labels`, (n,). The others : rows of these tables.

    Returns
    -------
    (n, e) float64, columns as EVIDENCE; NaN where there is no such thing.
    """
    if not labels:
        return np.zeros((0, len(EVIDENCE)))
    size = (labels[0]["height"], labels[0]["width"])
    rles = [rle_of(label["rle"], *size) for label in labels]
    points = points_of(weak_labels)
    parts = [
        _of_bags(labels, rles, _bags(proposals, selections, size)),
        crowding(rles, [label["category_id"] for label in labels], _own(labels, points), points),
        np.stack([_of_mask(*pair, points) for pair in zip(labels, rles, strict=True)]),
    ]
    return np.concatenate(parts, axis=1)


def points_of(weak_labels: Sequence[Row]) -> dict[int, tuple[int, np.ndarray]]:
    """Class and points, (n, 2) xy px, of each object that has points, by instance_id."""
    found: dict[int, tuple[int, list[tuple[float, float]]]] = {}
    for row in weak_labels:
        if row["kind"] == "point" and row["status"] != "deleted":
            own = found.setdefault(row["instance_id"], (row["category_id"], []))
            own[1].append((row["x"], row["y"]))
    return {number: (category, np.array(xy)) for number, (category, xy) in found.items()}


def _own(labels: Sequence[Row], points: Mapping[int, Any]) -> list[int | None]:
    """Of each pseudo-label the key of its own points, or None."""
    return [number if (number := label["instance_id"]) in points else None for label in labels]


def _bags(
    proposals: Sequence[Row], selections: Sequence[Row], size: tuple[int, int]
) -> dict[tuple[int, int], Bag]:
    """Proposals with their scores, by bag_id and class; empty masks are left out."""
    offered = {(row["bag_id"], row["proposal_id"]): row for row in proposals if row["valid"]}
    found: dict[tuple[int, int], list[tuple[Row, Row]]] = {}
    for score in selections:
        proposal = offered.get((score["bag_id"], score["proposal_id"]))
        if proposal is not None:
            pairs = found.setdefault((score["bag_id"], score["category_id"]), [])
            pairs.append((proposal, score))
    return {key: Bag.of(pairs, *size) for key, pairs in found.items()}


def _of_bags(
    labels: Sequence[Row], rles: Sequence[Rle], bags: Mapping[tuple[int, int], Bag]
) -> np.ndarray:
    """BAG_EVIDENCE of each pseudo-label: of its object's bag, or of that of the tags."""
    rows = np.full((len(labels), len(BAG_EVIDENCE)), np.nan)
    for row, label, rle in zip(rows, labels, rles, strict=True):
        bag = label["instance_id"] if label["instance_id"] >= 0 else TAGS
        own = bags.get((bag, label["category_id"]))
        if own is not None:
            row[:] = bag_evidence(rle, own, label["proposal_id"])
    return rows


def _of_mask(label: Row, rle: Rle, points: Mapping[int, tuple[int, np.ndarray]]) -> np.ndarray:
    """MASK_EVIDENCE of a pseudo-label; all NaN for an empty mask."""
    if not rle_areas([rle])[0]:
        return np.full(len(MASK_EVIDENCE), np.nan)
    _, own = points.get(label["instance_id"], (0, None))
    mask = rles_to_masks([rle])[0]  # one at a time: a hundred of a large photograph fill memory
    return mask_evidence(mask, np.array(label["box"]), own, is_given=label["box_given"])
