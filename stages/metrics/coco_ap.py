"""COCO's average precision from ground truth and results; nothing is read here.

An empty result has AP 0, and a number that rests on no object, such as APs where nothing is small,
is None (pycocotools gives -1).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from typing import Any

from stages.metrics.scorers import PYCOCOTOOLS, chosen_backend, scorer_of, valid_mean
from stages.metrics.voc_ap import voc_ap

NUMBERS = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")


def detector_ap(
    truth: Mapping[str, Any],
    results: Sequence[Mapping[str, Any]],
    *,
    recall_points: int = 101,
    backend: str = PYCOCOTOOLS,
) -> dict[str, Any]:
    """Box and mask AP with what they rest on.

    Parameters
    ----------
    truth, results, backend : as `scorer_of`.
    recall_points : of `voc_ap`, whose numbers stand under `voc`.

    Returns
    -------
    {"images", "objects" (without crowds), "detections": counts, "objects_per_class": {category_id
    as text: n}, "bbox", "segm": as `coco_ap`, "voc": {"recall_points", "bbox", "segm": as
    `voc_ap`}, "scored_by": the backend}; both `segm` are None where the truth has no masks.
    """
    objects = [entry for entry in truth["annotations"] if not entry["iscrowd"]]
    counts = Counter(entry["category_id"] for entry in objects)
    masked = all("segmentation" in entry for entry in truth["annotations"])
    numbers: dict[str, Any] = {"segm": None}
    voc: dict[str, Any] = {"recall_points": recall_points, "segm": None}
    for kind in ("bbox", "segm") if masked else ("bbox",):
        numbers[kind] = coco_ap(truth, results, kind=kind, backend=backend)
        voc[kind] = voc_ap(truth, results, kind=kind, recall_points=recall_points, backend=backend)
    return {
        "images": len(truth["images"]),
        "objects": len(objects),
        "detections": len(results),
        "objects_per_class": {str(c["id"]): counts[c["id"]] for c in truth["categories"]},
        **numbers,
        "voc": voc,
        "scored_by": chosen_backend(backend),
    }


def coco_ap(
    truth: Mapping[str, Any],
    results: Sequence[Mapping[str, Any]],
    *,
    kind: str,
    backend: str = PYCOCOTOOLS,
) -> dict[str, Any]:
    """COCO's twelve numbers and the AP of each class.

    Parameters
    ----------
    truth, results, kind, backend : as `scorer_of`, whose errors it raises.

    Returns
    -------
    Each of NUMBERS in [0, 1] or None; per_class: {category_id as text: AP or None}.
    """
    scorer = scorer_of(truth, results, kind=kind, backend=backend)
    with redirect_stdout(None):  # pycocotools prints
        scorer.evaluate()
        scorer.accumulate()
        scorer.summarize()
    values = list(scorer.stats)[: len(NUMBERS)]  # faster-coco-eval gives some more
    numbers = {name: _number(value) for name, value in zip(NUMBERS, values, strict=True)}
    return {**numbers, "per_class": _per_class(scorer)}


def _number(value: float) -> float | None:
    return None if value < 0 else float(value)


def _per_class(scorer: Any) -> dict[str, float | None]:
    """AP of each class, over all sizes and with 100 detections per image."""
    precision = scorer.eval["precision"][:, :, :, 0, -1]  # (n_ious, n_recalls, n_classes)
    columns = enumerate(scorer.params.catIds)
    return {str(category_id): valid_mean(precision[:, :, k]) for k, category_id in columns}
