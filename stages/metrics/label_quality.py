"""Means of label quality over a data set, per choice and per class, in bounded memory. Pure.

SAPNet, Sec. 4.4 and Tables 4 to 7. Sums are kept per choice and class; only the mask-to-box area
ratios R_v of Table 7 are kept per object, since their threshold is a mean over all bags.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from stages.geometry.boxes import box_iou
from stages.metrics.mask_quality import STATISTICS


class LabelQuality:
    """Collects one object after the other; `means` and `gaps` tell the result."""

    def __init__(self) -> None:
        self._sums: dict[str, dict[int, np.ndarray]] = {}
        self._ratios: list[tuple[float, float, dict[str, float]]] = []

    def add(
        self,
        category_id: int,
        statistics: np.ndarray,
        weights: Mapping[str, np.ndarray],
        *,
        ratios: np.ndarray,
        truth_ratio: float,
    ) -> None:
        """Count one object.

        Parameters
        ----------
        statistics : (n, 6) of its proposals, columns as STATISTICS.
        weights : for each choice (n,) weights over the bag, summing to 1.
        ratios : (n,) mask area / box area of the proposals.
        truth_ratio : the same of the object.
        """
        for name, weight in weights.items():
            classes = self._sums.setdefault(name, {})
            total = classes.setdefault(category_id, np.zeros(len(STATISTICS) + 1))
            total += [1, *(weight @ statistics)]
        chosen = {name: float(weight @ ratios) for name, weight in weights.items()}
        self._ratios.append((float(ratios.max()), truth_ratio, chosen))

    def means(self) -> dict[str, dict[str, Any]]:
        """Means of STATISTICS for each choice: over all objects, over classes, and per class.

        Returns
        -------
        {choice: {"n": objects, each of STATISTICS, "class_mean": {each of STATISTICS},
        "per_class": {category_id as text: {"n", each of STATISTICS}}}}.
        """
        return {name: _summary(classes) for name, classes in self._sums.items()}

    def gaps(self) -> dict[str, Any]:
        """`gap` of each choice; empty without objects."""
        if not self._ratios:
            return {}
        best, truth, chosen = zip(*self._ratios, strict=True)
        names = sorted({name for entry in chosen for name in entry})
        columns = {name: [entry.get(name, np.nan) for entry in chosen] for name in names}
        return {name: gap(best, column, truth) for name, column in columns.items()}


class RefinedBoxes:
    """Mean IoU of the boxes of PSM, PRM and BMS themselves, before they are mapped to masks."""

    names = ("box_psm", "box_select", "box_prm")

    def __init__(self) -> None:
        self._count, self._sum = 0, np.zeros(len(self.names))

    def add(self, boxes: Mapping[str, Sequence[float]], truth: np.ndarray) -> None:
        """Count one object: its boxes by name and the true one, xyxy px."""
        found = np.array([boxes[name] for name in self.names], dtype=np.float64)
        self._sum += box_iou(found, truth[None])[:, 0]
        self._count += 1

    def means(self) -> dict[str, float | int | None]:
        """The count `n` and each name's mean IoU, or None where nothing was counted."""
        if not self._count:
            return {"n": 0, **dict.fromkeys(self.names)}
        means = (self._sum / self._count).tolist()
        return {"n": self._count, **dict(zip(self.names, means, strict=True))}


def _summary(classes: Mapping[int, np.ndarray]) -> dict[str, Any]:
    per_class = {str(key): _means(total) for key, total in sorted(classes.items())}
    average = {name: _mean([entry[name] for entry in per_class.values()]) for name in STATISTICS}
    total = np.sum(list(classes.values()), axis=0)
    return {**_means(total), "class_mean": average, "per_class": per_class}


def _means(total: np.ndarray) -> dict[str, Any]:
    values = (total[1:] / total[0]).tolist()
    return {"n": int(total[0]), **dict(zip(STATISTICS, values, strict=True))}


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def gap(
    best: Sequence[float], selected: Sequence[float], truth: Sequence[float]
) -> dict[str, float | int | None]:
    """Bias towards parts, from the ratios R_v = mask area / box area (SAPNet, Table 7).

    Objects whose best R_v of the bag is above r_v, the mean of it over all bags, are kept; the gap
    is the mean R_v of what was selected minus that of the truth. That it is a difference of means
    is our reading: the paper does not say.

    Parameters
    ----------
    best : (n,) highest R_v of each bag. selected : (n,) of the choice; NaN where there is none.
    truth : (n,) of the object.

    Returns
    -------
    {"r_v", "kept": number of objects, "gap": or None where none is kept}.
    """
    ratios = np.asarray(best, dtype=np.float64)
    chosen = np.asarray(selected, dtype=np.float64)
    threshold = float(ratios.mean())
    kept = (ratios > threshold) & ~np.isnan(chosen)
    value = float(chosen[kept].mean() - np.asarray(truth)[kept].mean()) if kept.any() else None
    return {"r_v": threshold, "kept": int(kept.sum()), "gap": value}
