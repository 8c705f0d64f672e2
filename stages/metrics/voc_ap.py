"""Mean average precision at one IoU at a time, as on PASCAL VOC: mAP25, mAP50, mAP70 and mAP75.

WeakSAM, SAPNet and BoxCaseg report these. The curve of precision (made falling) over recall is read
at a grid of recalls, and grids differ: 11 points (VOC 2007), 101 (COCO), 1001 (within 0.002 of the
area under the curve, VOC 2010 on). 11 points are up to 0.03 off the area, so the grid belongs to
the number. Matching is COCO's: the best free object of the class at or above the IoU, crowds
ignored, at most 100 detections per image. VOC's own takes the best object, free or not.
"""

from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from typing import Any

import numpy as np

from stages.metrics.scorers import PYCOCOTOOLS, scorer_of, valid_mean

IOUS = {"mAP25": 0.25, "mAP50": 0.5, "mAP70": 0.7, "mAP75": 0.75}


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
    scorer = scorer_of(truth, results, kind=kind, backend=backend)
    params = scorer.params
    params.iouThrs = np.array(list(IOUS.values()))
    params.recThrs = np.linspace(0, 1, recall_points)
    params.areaRng, params.areaRngLbl = params.areaRng[:1], params.areaRngLbl[:1]  # all sizes
    params.maxDets = [100]
    with redirect_stdout(None):  # pycocotools prints
        scorer.evaluate()
        scorer.accumulate()  # its summary would want COCO's ten IoUs
    precision = scorer.eval["precision"][:, :, :, 0, -1]  # (n_ious, n_recalls, n_classes)
    return {name: valid_mean(precision[k]) for k, name in enumerate(IOUS)}
