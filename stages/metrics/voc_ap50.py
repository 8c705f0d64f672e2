"""Average precision of boxes at IoU 0.5 by PASCAL VOC's own rules. Pure.

WeakSAM, Table 1 and spec section 8. Detections of a class are taken by falling score over all
images; each asks for the true object of its class that it overlaps most, free or not: with IoU >=
0.5 the first to ask is right, a later one is a duplicate and wrong. Objects that are ignored
(difficult, crowds) are missed by nobody and make nobody wrong. Two readings of the curve, both
named: at 11 recalls (VOC 2007), and the area below it (VOC 2010 on). `voc_ap` reads the same
average by COCO's matching. Of a detection its score and its outcome are kept, nothing else.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from stages.geometry.boxes import box_iou
from stages.metrics.misfits import FITS
from stages.metrics.shapes import Shapes

READINGS = ("ap50_11", "ap50_area")


class VocAp50:
    """Collects one image after the other; `summary` tells the result."""

    def __init__(self) -> None:
        self._objects: dict[int, int] = {}
        self._scores: dict[int, list[float]] = {}
        self._hits: dict[int, list[bool]] = {}

    def image(self, found: Shapes, objects: Shapes, ignored: Shapes) -> None:
        """Count one image.

        Parameters
        ----------
        found : detections with scores. objects : true ones. ignored : those that are not counted.
        """
        for category_id in objects.category_id.tolist():
            self._objects[category_id] = self._objects.get(category_id, 0) + 1
        for category_id in np.unique(found.category_id).tolist():
            mine = found.of_class(category_id)
            goals, rest = objects.of_class(category_id), ignored.of_class(category_id)
            assert mine.scores is not None
            order = np.argsort(-mine.scores, kind="stable")
            hits = detection_hits(mine.boxes[order], goals.boxes, rest.boxes)
            kept = [(row, hit) for row, hit in zip(order, hits, strict=True) if hit is not None]
            self._scores.setdefault(category_id, []).extend(mine.scores[row] for row, _ in kept)
            self._hits.setdefault(category_id, []).extend(hit for _, hit in kept)

    def summary(self) -> dict[str, Any]:
        """What was reached.

        Returns
        -------
        {each of READINGS: mean over classes with objects, or None without any, "n": objects,
        "detections": that are not ignored, "per_class": {category_id as text: {each of READINGS,
        "n", "detections"}}}; classes without objects count for no mean and are not there.
        """
        per_class = {str(key): self._class(key) for key in sorted(self._objects)}
        means = {
            name: float(np.mean([entry[name] for entry in per_class.values()]))
            if per_class
            else None
            for name in READINGS
        }
        detections = sum(len(scores) for scores in self._scores.values())
        objects = sum(self._objects.values())
        return {**means, "n": objects, "detections": detections, "per_class": per_class}

    def _class(self, category_id: int) -> dict[str, Any]:
        scores = np.array(self._scores.get(category_id, []))
        hits = np.array(self._hits.get(category_id, []), dtype=bool)
        number = self._objects[category_id]
        right = hits[np.argsort(-scores, kind="stable")]
        values = dict(zip(READINGS, average_precision(right, number), strict=True))
        return {**values, "n": number, "detections": len(hits)}


def detection_hits(
    boxes: np.ndarray, objects: np.ndarray, ignored: np.ndarray
) -> Sequence[bool | None]:
    """Which detections of one class in one image are right.

    Parameters
    ----------
    boxes : (n, 4) by falling score. objects : (m, 4), ignored : (k, 4), xyxy px.

    Returns
    -------
    (n,) True: right, False: wrong, None: on an ignored object, to be left out.
    """
    overlaps = box_iou(boxes, np.concatenate([objects, ignored]))  # (n, m + k)
    taken, hits = set[int](), list[bool | None]()
    for row in overlaps:
        best = int(row.argmax()) if len(row) else 0
        fits = bool(len(row)) and row[best] >= FITS
        if fits and best >= len(objects):
            hits.append(None)
            continue
        hits.append(fits and best not in taken)
        if fits:
            taken.add(best)
    return hits


def average_precision(hits: np.ndarray, objects: int) -> tuple[float, float]:
    """The curve of precision over recall, made falling, as its two readings.

    Parameters
    ----------
    hits : (n,) bool by falling score. objects : how many there are, at least 1.

    Returns
    -------
    (mean at recalls 0, .1 to 1, area below the curve), each 0 to 1; 0 without detections.

    Source: Everingham et al., "The PASCAL VOC Challenge", IJCV 2010, Sec. 4.2.
    """
    right = np.cumsum(hits)
    recall = np.concatenate([[0], right / objects])
    precision = right / np.arange(1, len(hits) + 1)
    falling = np.maximum.accumulate(precision[::-1])[::-1]  # best precision from here on
    at = [falling[recall[1:] >= tenth / 10].max(initial=0) for tenth in range(11)]
    return float(np.mean(at)), float((np.diff(recall) * falling).sum())
