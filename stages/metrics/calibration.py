"""How good pseudo-labels are, as a histogram, and whether their scores know it. Pure.

Only counts and sums are kept, however many labels there are.
"""

from typing import Any

import numpy as np

IOU_EDGES = np.arange(21) / 20  # a bin holds its lower edge; the last one holds 1 as well
SCORE_EDGES = np.arange(11) / 10
GOOD = 0.5  # mask IoU from which a label counts as right


class Calibration:
    """Collects score and mask IoU of one pseudo-label after the other."""

    def __init__(self) -> None:
        self._ious = np.zeros(len(IOU_EDGES) - 1, dtype=np.int64)
        # of each bin of the score: n, and sums of score, mask IoU, and mask IoU >= GOOD
        self._scores = np.zeros((len(SCORE_EDGES) - 1, 4))

    def add(self, score: float, mask_iou: float) -> None:
        """Count one pseudo-label; both numbers are in [0, 1]."""
        self._ious[_bin(IOU_EDGES, mask_iou)] += 1
        self._scores[_bin(SCORE_EDGES, score)] += [1, score, mask_iou, mask_iou >= GOOD]

    def summary(self) -> dict[str, Any]:
        """Histogram of mask IoU and reliability of scores, bin by bin.

        Returns
        -------
        {"iou_histogram": {"edges": (21,), "n": (20,)}, "reliability": {"edges": (11,), "n",
        "mean_score", "mask_iou", "mask_iou_50": (10,) each, None in bins without labels,
        "expected_calibration_error": {"mask_iou", "mask_iou_50"} or None without labels}}.

        The error is the mean over labels of their bin's |mean score - mean of what it should
        foretell|: of the mask IoU, or of being right (Guo et al., ICML 2017, Eq. 3).
        """
        sizes = self._scores[:, 0]
        with np.errstate(invalid="ignore"):
            means = self._scores[:, 1:] / sizes[:, None]  # (10, 3), NaN without labels
        names = ("mean_score", "mask_iou", "mask_iou_50")
        columns = dict(zip(names, means.T.tolist(), strict=True))
        reliability = {
            "edges": SCORE_EDGES.tolist(),
            "n": sizes.astype(int).tolist(),
            **{name: [_number(value) for value in column] for name, column in columns.items()},
            "expected_calibration_error": _errors(self._scores),
        }
        histogram = {"edges": IOU_EDGES.tolist(), "n": self._ious.tolist()}
        return {"iou_histogram": histogram, "reliability": reliability}


def _bin(edges: np.ndarray, value: float) -> int:
    """Number of the bin; what lies outside goes to the first or the last one."""
    place = int(np.searchsorted(edges, value, side="right")) - 1
    return min(max(place, 0), len(edges) - 2)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else value


def _errors(sums: np.ndarray) -> dict[str, float] | None:
    """Sums over bins of |sum of scores - sum of outcomes|, divided by the number of labels."""
    total = sums[:, 0].sum()
    if not total:
        return None
    apart = np.abs(sums[:, 1:2] - sums[:, 2:]).sum(axis=0) / total
    return dict(zip(("mask_iou", "mask_iou_50"), apart.tolist(), strict=True))
