"""Means of label quality over a data set, per choice, class, difficulty and size. Pure.

SAPNet, Tables 4 to 7. Sums are kept per choice and group, in bounded memory; only the
mask-to-box area ratios R_v of Table 7 are kept per object: their threshold is a mean over all bags.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from stages.geometry.boxes import box_iou
from stages.metrics.mask_quality import STATISTICS
from stages.metrics.object_quality import ObjectQuality

K = TypeVar("K")


class LabelQuality:
    """Collects one object after the other; `means` and `gaps` tell the result."""

    def __init__(self) -> None:
        self._classes: dict[str, dict[int, np.ndarray]] = {}  # of each choice: (1 + s,) n and sums
        self._difficulties: dict[str, dict[str, np.ndarray]] = {}
        self._sizes: dict[str, dict[str, np.ndarray]] = {}
        self._ratios: list[tuple[float, float, Mapping[str, float]]] = []

    def add(
        self,
        category_id: int,
        quality: ObjectQuality,
        *,
        difficulty: str | None = None,
        size: str | None = None,
    ) -> None:
        """Count one object; without a difficulty or size it counts in no such group."""
        for name, statistics in quality.statistics.items():
            _count(self._classes.setdefault(name, {}), category_id, statistics)
            if difficulty is not None:
                _count(self._difficulties.setdefault(name, {}), difficulty, statistics)
            if size is not None:
                _count(self._sizes.setdefault(name, {}), size, statistics)
        self._ratios.append((quality.best_ratio, quality.truth_ratio, quality.ratios))

    def means(self, *, categories: int) -> dict[str, dict[str, Any]]:
        """Means of STATISTICS for each choice: over all objects, classes, and in groups.

        Parameters
        ----------
        categories : how many classes the data set has, with and without objects.

        Returns
        -------
        {choice: {"n": objects, each of STATISTICS, "class_mean": {each of STATISTICS},
        "miou_star": as `miou_star`, "per_class": {category_id as text: {"n", each of STATISTICS}},
        "by_difficulty" and "by_size": {name: {"n", each of STATISTICS}}}}; groups without
        objects are not there.
        """
        return {
            name: {
                **_summary(classes, categories),
                "by_difficulty": _group_means(self._difficulties.get(name, {})),
                "by_size": _group_means(self._sizes.get(name, {})),
            }
            for name, classes in self._classes.items()
        }

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


def _count(groups: dict[K, np.ndarray], key: K, statistics: np.ndarray) -> None:
    groups.setdefault(key, np.zeros(len(STATISTICS) + 1))[:] += [1, *statistics]


def _summary(classes: Mapping[int, np.ndarray], categories: int) -> dict[str, Any]:
    per_class = {str(key): _means(total) for key, total in sorted(classes.items())}
    average = {name: _mean([entry[name] for entry in per_class.values()]) for name in STATISTICS}
    return {
        **_means(np.sum(list(classes.values()), axis=0)),
        "class_mean": average,
        "miou_star": miou_star([entry["mask_iou"] for entry in per_class.values()], categories),
        "per_class": per_class,
    }


def _group_means(groups: Mapping[str, np.ndarray]) -> dict[str, Any]:
    return {name: _means(total) for name, total in sorted(groups.items())}


def _means(total: np.ndarray) -> dict[str, Any]:
    values = (total[1:] / total[0]).tolist()
    return {"n": int(total[0]), **dict(zip(STATISTICS, values, strict=True))}


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def miou_star(class_means: Sequence[float], categories: int) -> dict[str, float]:
    """Mean over classes of their mean mask IoU, with classes without objects both ways.

    BoxCaseg's public code counts an absent class as 0 and divides by all; the paper does not say.

    Parameters
    ----------
    class_means : mean mask IoU of each class that has objects; not empty.
    categories : number of all classes.

    Returns
    -------
    {"present": mean over classes with objects, "all": over all, absent ones as 0}.
    """
    return {"present": _mean(class_means), "all": float(np.sum(class_means) / categories)}


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
