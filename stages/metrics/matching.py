"""Pseudo-labels against true objects where nobody knows which label stands for which. Pure.

WeakSAM makes labels of tags, so no label comes from an object; the same serves files of labels by
others. Within an image and a class, labels and objects are matched one to one, the pair of largest
IoU first, once by boxes and once by masks. A pair counts where its IoU is at least 0.5; an object
without one is missed, a label without one is extra. A label that is extra only because it lies on
an ignored object (a crowd, IoU >= 0.5) is left out and counted.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from stages.geometry.boxes import box_iou
from stages.geometry.masks import rle_iou
from stages.metrics.misfits import FITS, MISFITS, box_misfit, mask_misfit
from stages.metrics.shapes import Shapes, greedy_pairs

BOXES, MASKS = "boxes", "masks"
COUNTED = ("labels", "objects", "matched", "missed", "extra", *MISFITS, "ignored")
SUMS = ("label_iou", "matched_iou")
NAMES = (*COUNTED, *SUMS)
RATES = ("precision", "recall", "f1")


class Matching:
    """Collects one image after the other, by boxes or by masks; `summary` tells the result."""

    def __init__(self, kind: str):
        self.kind = kind  # BOXES or MASKS
        self._classes: dict[int, np.ndarray] = {}  # (c,) sums of NAMES

    def image(self, labels: Shapes, objects: Shapes, ignored: Shapes) -> np.ndarray:
        """Count one image.

        Parameters
        ----------
        labels, objects, ignored : with masks, where those are matched.

        Returns
        -------
        (n,) IoU of each label with the best true object of its class; 0 where there is none, NaN
        for a label that is left out.
        """
        best = np.zeros(len(labels))
        classes = np.concatenate([labels.category_id, objects.category_id])
        for category_id in np.unique(classes).tolist():
            sides = [shapes.of_class(category_id) for shapes in (labels, objects, ignored)]
            sums, mine = self._class(*sides)
            best[labels.category_id == category_id] = mine
            total = self._classes.setdefault(category_id, np.zeros(len(NAMES)))
            total += [sums.get(name, 0) for name in NAMES]
        return best

    def _class(
        self, labels: Shapes, objects: Shapes, ignored: Shapes
    ) -> tuple[Mapping[str, float], np.ndarray]:
        """Sums of one class in one image, and the best IoU of each label."""
        overlaps = self._overlaps(labels, objects)  # (n, m)
        rows, columns = greedy_pairs(overlaps).T
        paired = overlaps[rows, columns]
        right = paired >= FITS
        free = np.setdiff1d(np.arange(len(labels)), rows[right])
        is_ignored = self._overlaps(labels, ignored).max(axis=1, initial=0)[free] >= FITS
        counted = np.setdiff1d(np.arange(len(labels)), free[is_ignored])
        best: np.ndarray = overlaps.max(axis=1, initial=0)
        best[free[is_ignored]] = np.nan
        sums = {
            "labels": len(counted),
            "objects": len(objects),
            "matched": int(right.sum()),
            "missed": len(objects) - int(right.sum()),
            "extra": int((~is_ignored).sum()),
            "ignored": int(is_ignored.sum()),
            "label_iou": float(best[counted].sum()),
            "matched_iou": float(paired[right].sum()),
            **Counter(self._misfit(labels, row, objects) for row in free[~is_ignored]),
        }
        return sums, best

    def _overlaps(self, first: Shapes, second: Shapes) -> np.ndarray:
        if self.kind == BOXES:
            return box_iou(first.boxes, second.boxes)
        return rle_iou(first.rles or [], second.rles or [])

    def _misfit(self, labels: Shapes, row: int, objects: Shapes) -> str:
        if self.kind == BOXES:
            return box_misfit(labels.boxes[row], objects.boxes)
        return mask_misfit((labels.rles or [])[row], objects.rles or [])

    def summary(self) -> dict[str, Any]:
        """What was counted.

        Returns
        -------
        {each of COUNTED: how many, each of RATES, "label_iou": mean over labels of the IoU with the
        best object of the class, "object_iou": mean over objects of the IoU of their pair, missed
        ones 0, "matched_iou": mean over the pairs that count, "class_mean": {each of RATES and the
        three IoUs, mean over classes with objects}, "per_class": {category_id as text: the same
        without class_mean}}; a mean over nothing is None.
        """
        per_class = {str(key): match_numbers(of) for key, of in sorted(self._classes.items())}
        total = sum(self._classes.values(), np.zeros(len(NAMES)))
        present = [entry for entry in per_class.values() if entry["objects"]]
        names = (*RATES, "label_iou", "object_iou", "matched_iou")
        return {
            **match_numbers(total),
            "class_mean": {name: _mean([entry[name] for entry in present]) for name in names},
            "per_class": per_class,
        }


def match_numbers(sums: np.ndarray) -> dict[str, Any]:
    """Counts, rates and means of one class or of all, from sums of NAMES.

    F1 = 2 matched / (labels + objects) is there wherever labels or objects are; precision and
    recall need labels and objects each.
    """
    counts = {name: int(value) for name, value in zip(COUNTED, sums.tolist(), strict=False)}
    labels, objects, matched = (counts[name] for name in ("labels", "objects", "matched"))
    label_iou, matched_iou = sums[len(COUNTED) :].tolist()
    return {
        **counts,
        "precision": _share(matched, labels),
        "recall": _share(matched, objects),
        "f1": _share(2 * matched, labels + objects),
        "label_iou": _share(label_iou, labels),
        "object_iou": _share(matched_iou, objects),
        "matched_iou": _share(matched_iou, matched),
    }


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _mean(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return float(np.mean(there)) if there else None
