"""Labels scored as detections of the true objects: what a detector would get that repeats them.

COCO's average precision, with the labels' scores, on the training images. No training stands
between, so its noise is that of the objects alone; a label's score decides the order, so labels
that know which of them are wrong reach more.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from stages.metrics.coco_ap import NUMBERS, coco_ap
from stages.metrics.scorers import PYCOCOTOOLS


def label_ap(
    truth: Mapping[str, Any],
    labels: Sequence[Mapping[str, Any]],
    *,
    backend: str = PYCOCOTOOLS,
) -> dict[str, Any]:
    """Box and mask AP of labels.

    Parameters
    ----------
    truth, backend : as `scorers.scorer_of`. labels : as its results.

    Returns
    -------
    {"labels": count, "bbox", "segm": each of `coco_ap.NUMBERS`, in [0, 1] or None}; `segm` is None
    where the truth has no masks.
    """
    masked = all("segmentation" in entry for entry in truth["annotations"])
    found: dict[str, Any] = {"labels": len(labels), "segm": None}
    for kind in ("bbox", "segm") if masked else ("bbox",):
        numbers = coco_ap(truth, labels, kind=kind, backend=backend)
        found[kind] = {name: numbers[name] for name in NUMBERS}
    return found
