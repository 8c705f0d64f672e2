"""Precision and recall of detections at many IoUs, after one pass of matching.

What COCO reports and what is reported on PASCAL VOC are read off the same curves, so boxes are
matched once, and masks are.
"""

from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any

import numpy as np

from stages.metrics.scorers import PYCOCOTOOLS, scorer_of

COCO_IOUS = tuple(np.linspace(0.5, 0.95, 10).tolist())  # as pycocotools has them, to the last bit
VOC_IOUS = {"mAP25": 0.25, "mAP50": 0.5, "mAP70": 0.7, "mAP75": 0.75}
RECALLS = 101  # of COCO's grid


@dataclass(frozen=True, slots=True)
class Curves:
    """What a backend of COCO's interface has accumulated; -1 where there are no objects.

    precision : (t, r, k, 4, 3) for IoU, recall, class, size (all, small, medium, large) and
        detections per image (1, 10, 100). recall : (t, k, 4, 3).
    ious : t values, rising. classes : k category_ids.
    """

    precision: np.ndarray
    recall: np.ndarray
    ious: tuple[float, ...]
    classes: tuple[int, ...]

    def at(self, *ious: float) -> list[int]:
        """Places of IoUs that were asked for."""
        return [self.ious.index(iou) for iou in ious]


def curves_of(
    truth: Mapping[str, Any],
    results: Sequence[Mapping[str, Any]],
    *,
    kind: str,
    recall_points: int = RECALLS,
    backend: str = PYCOCOTOOLS,
) -> Curves:
    """Match detections with objects at all IoUs of COCO and of VOC.

    Parameters
    ----------
    truth, results, kind, backend : as `scorer_of`, whose errors it raises.
    recall_points : recalls 0 to 1 at equal steps at which precision is read; 2 or more.
    """
    scorer = scorer_of(truth, results, kind=kind, backend=backend)
    ious = tuple(sorted({*COCO_IOUS, *VOC_IOUS.values()}))
    scorer.params.iouThrs = np.array(ious)
    scorer.params.recThrs = np.linspace(0, 1, recall_points)
    with redirect_stdout(None):  # pycocotools prints
        scorer.evaluate()
        scorer.accumulate()
    precision, recall = (np.asarray(scorer.eval[name]) for name in ("precision", "recall"))
    return Curves(precision, recall, ious, tuple(scorer.params.catIds))


def valid_mean(values: np.ndarray) -> float | None:
    """Mean of the entries that rest on objects; None where there is none (-1)."""
    seen = values[values > -1]
    return float(np.mean(seen)) if seen.size else None
