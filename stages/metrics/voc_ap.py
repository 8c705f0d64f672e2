"""Mean average precision at one IoU at a time, as on PASCAL VOC: mAP25, mAP50, mAP70 and mAP75.

WeakSAM, SAPNet and BoxCaseg report these. The curve of precision (made falling) over recall is read
at a grid of recalls, and grids differ: 11 points (VOC 2007), 101 (COCO), 1001 (within 0.002 of the
area under the curve, VOC 2010 on). 11 points are up to 0.03 off the area, so the grid belongs to
the number. Matching is COCO's: the best free object of the class at or above the IoU, crowds
ignored, at most 100 detections per image. VOC's own takes the best object, free or not.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from stages.metrics.curves import VOC_IOUS as IOUS
from stages.metrics.curves import Curves, curves_of, valid_mean
from stages.metrics.scorers import PYCOCOTOOLS


def voc_ap(
    truth: Mapping[str, Any],
    results: Sequence[Mapping[str, Any]],
    *,
    kind: str,
    recall_points: int = 101,
    backend: str = PYCOCOTOOLS,
) -> dict[str, float | None]:
    """Mean over classes of the average precision at each of IOUS.

    Parameters
    ----------
    truth, results, kind, backend : as `scorer_of`, whose errors it raises.
    recall_points : recalls 0 to 1 at equal steps at which precision is read; 2 or more.

    Returns
    -------
    Each of IOUS in [0, 1]; None without objects. Classes without objects do not count.
    """
    curves = curves_of(truth, results, kind=kind, recall_points=recall_points, backend=backend)
    return voc_numbers(curves)


def voc_numbers(curves: Curves) -> dict[str, float | None]:
    """As `voc_ap`, of curves that are there."""
    precision = curves.precision[:, :, :, 0, -1]  # (n_ious, n_recalls, n_classes)
    return {name: valid_mean(precision[curves.at(iou)[0]]) for name, iou in IOUS.items()}
