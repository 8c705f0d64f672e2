"""COCO's average precision from ground truth and results; nothing is read here.

An empty result has AP 0, and a number that rests on no object, such as APs where nothing is small,
is None (pycocotools gives -1).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from stages.metrics.curves import COCO_IOUS, RECALLS, Curves, curves_of, valid_mean
from stages.metrics.scorers import PYCOCOTOOLS, chosen_backend
from stages.metrics.voc_ap import voc_numbers

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
        curves = curves_of(truth, results, kind=kind, backend=backend)
        numbers[kind] = coco_numbers(curves)
        if recall_points != RECALLS:
            points = recall_points
            curves = curves_of(truth, results, kind=kind, recall_points=points, backend=backend)
        voc[kind] = voc_numbers(curves)
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
    As `coco_numbers`.
    """
    return coco_numbers(curves_of(truth, results, kind=kind, backend=backend))


def coco_numbers(curves: Curves) -> dict[str, Any]:
    """COCO's summary of curves.

    Returns
    -------
    Each of NUMBERS in [0, 1] or None; per_class: {category_id as text: AP or None}, over all sizes
    and with 100 detections per image.

    Source: COCOeval.summarize of pycocotools, whose numbers these are to the last bit.
    """
    all_ious = curves.at(*COCO_IOUS)
    precision, recall = curves.precision[all_ious], curves.recall[all_ious]
    of_sizes = [precision[:, :, :, size, -1] for size in range(4)]
    at_one = [curves.precision[curves.at(iou)][:, :, :, 0, -1] for iou in (0.5, 0.75)]
    found = [recall[:, :, 0, most] for most in range(3)]
    found += [recall[:, :, size, -1] for size in range(1, 4)]
    parts = [of_sizes[0], *at_one, *of_sizes[1:], *found]
    numbers = {name: valid_mean(part) for name, part in zip(NUMBERS, parts, strict=True)}
    ids = enumerate(curves.classes)
    return {**numbers, "per_class": {str(c): valid_mean(of_sizes[0][:, :, k]) for k, c in ids}}
