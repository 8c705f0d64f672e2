"""CorLoc: is the best box of each tag on an object of its class? Pure.

WeakSAM, Table 7, and spec section 8: on the training images, for every image and class of its tags,
the single best-scoring box of the class is right where its IoU with any true object of the class is
at least 0.5; averaged within a class, then over classes. A tag for which there is no box is a miss,
and counted apart. What is wrong is told by kind (`misfits`), since part domination is the failure
that weak supervision is known for.
"""

from collections import Counter
from typing import Any

import numpy as np

from stages.geometry.boxes import box_iou
from stages.metrics.misfits import FITS, MISFITS, box_misfit

HITS, TAGS, WITHOUT_BOX = "hits", "n", "without_box"
OUTCOMES = (HITS, *MISFITS, WITHOUT_BOX)


class CorLoc:
    """Collects one image and class after the other; `summary` tells the result."""

    def __init__(self) -> None:
        self._classes: dict[int, Counter[str]] = {}

    def add(
        self, category_id: int, scores: np.ndarray, boxes: np.ndarray, objects: np.ndarray
    ) -> None:
        """Count one tag of one image.

        Parameters
        ----------
        scores : (n,) of the class for every box, not only for those that were selected.
        boxes : (n, 4) xyxy px. objects : (m, 4) xyxy px, the true ones of the class.
        """
        outcome = outcome_of(scores, boxes, objects)
        self._classes.setdefault(category_id, Counter()).update({TAGS: 1, outcome: 1})

    def summary(self) -> dict[str, Any]:
        """What was counted.

        Returns
        -------
        {"corloc": mean over classes, or None without tags, "share": right ones of all tags, or
        None, "n": tags, each of OUTCOMES: how many, "per_class": {category_id as text:
        {"corloc", "n", each of OUTCOMES}}}.
        """
        per_class = {str(key): _summary(of) for key, of in sorted(self._classes.items())}
        shares = [entry["corloc"] for entry in per_class.values()]
        total = _summary(sum(self._classes.values(), Counter[str]()))
        mean = float(np.mean(shares)) if shares else None
        return {**total, "share": total["corloc"], "corloc": mean, "per_class": per_class}


def outcome_of(scores: np.ndarray, boxes: np.ndarray, objects: np.ndarray) -> str:
    """One of OUTCOMES for the best box; of equal scores the first. Parameters as `CorLoc.add`."""
    if not len(scores):
        return WITHOUT_BOX
    best = boxes[int(scores.argmax())]
    if box_iou(best[None], objects).max(initial=0) >= FITS:
        return HITS
    return box_misfit(best, objects)


def _summary(counts: Counter[str]) -> dict[str, Any]:
    number = counts[TAGS]
    share = counts[HITS] / number if number else None
    return {"corloc": share, TAGS: number, **{name: counts[name] for name in OUTCOMES}}
