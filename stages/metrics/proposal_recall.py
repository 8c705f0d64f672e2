"""Recall of proposals: how many objects some proposal fits, each proposal counted for one. Pure.

WeakSAM, Table 4, as its public code counts: in each image proposals and objects are matched one to
one by the largest IoU first, whatever the class; recall at t is the share of all objects whose
match has IoU >= t. A proposal that fits two objects counts once, so this is less than the usual
"any proposal fits". Where we depart: an image without proposals stays in the denominator, and our
boxes are half-open; of whole pixels they give the same IoU as the inclusive ones with +1.
"""

from collections import Counter
from typing import Any

import numpy as np

from stages.geometry.boxes import box_iou
from stages.metrics.shapes import Shapes, greedy_pairs

RECALLS = {"recall_50": 0.5, "recall_75": 0.75, "recall_90": 0.9}  # WeakSAM, Table 4
OBJECTS = "n"


class ProposalRecall:
    """Collects one image after the other; `summary` tells the result."""

    def __init__(self) -> None:
        self._classes: dict[int, Counter[str]] = {}
        self._counts: Counter[str] = Counter()

    def image(self, proposals: np.ndarray, objects: Shapes) -> None:
        """Count one image.

        Parameters
        ----------
        proposals : (n, 4) xyxy px, of all prompts of the image.
        objects : the true ones; an image without any counts for the mean number of proposals.
        """
        self._counts.update(images=1, proposals=len(proposals), without=not len(proposals))
        best = best_overlaps(proposals, objects.boxes)
        for category_id, overlap in zip(objects.category_id.tolist(), best, strict=True):
            found = {name: int(overlap >= limit) for name, limit in RECALLS.items()}
            self._classes.setdefault(category_id, Counter()).update({OBJECTS: 1, **found})

    def summary(self) -> dict[str, Any]:
        """What was found.

        Returns
        -------
        {"n": objects, each of RECALLS: share of all objects, or None without objects, "images",
        "proposals": how many, "per_image": their mean or None without images,
        "images_without": how many have no proposal, "per_class": {category_id as text: {"n", each
        of RECALLS}}}.
        """
        total = sum(self._classes.values(), Counter[str]())
        images, proposals = self._counts["images"], self._counts["proposals"]
        return {
            **_shares(total),
            "images": images,
            "proposals": proposals,
            "per_image": proposals / images if images else None,
            "images_without": self._counts["without"],
            "per_class": {str(key): _shares(of) for key, of in sorted(self._classes.items())},
        }


def best_overlaps(proposals: np.ndarray, objects: np.ndarray) -> np.ndarray:
    """IoU of each object with the proposal that one-to-one matching gave it; 0 without one.

    Parameters
    ----------
    proposals : (n, 4), objects : (m, 4) xyxy px.

    Returns
    -------
    (m,) float64, 0 to 1.
    """
    overlaps = box_iou(proposals, objects)  # (n, m)
    rows, columns = greedy_pairs(overlaps).T
    best = np.zeros(len(objects))
    best[columns] = overlaps[rows, columns]
    return best


def _shares(counts: Counter[str]) -> dict[str, Any]:
    number = counts[OBJECTS]
    shares = {name: counts[name] / number if number else None for name in RECALLS}
    return {OBJECTS: number, **shares}
