"""COCO's average precision from ground truth and results, by pycocotools; nothing is read here.

An empty result has AP 0 (`COCO.loadRes([])` would raise), and a number that rests on no object,
such as APs where nothing is small, is None (pycocotools gives -1). Masks are scored with areas of
masks, not of boxes: pycocotools would take the box's where a result has both.
"""

from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

NUMBERS = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")
KINDS = {"bbox": ("bbox",), "segm": ("segmentation",)}  # keys of a result that each kind needs


def detector_ap(truth: Mapping[str, Any], results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Box and mask AP with what they rest on; `segm` is None where the truth has no masks."""
    annotations = truth["annotations"]
    masked = all("segmentation" in entry for entry in annotations)
    return {
        "images": len(truth["images"]),
        "objects": sum(not entry["iscrowd"] for entry in annotations),
        "detections": len(results),
        "bbox": coco_ap(truth, results, kind="bbox"),
        "segm": coco_ap(truth, results, kind="segm") if masked else None,
    }


def coco_ap(
    truth: Mapping[str, Any], results: Sequence[Mapping[str, Any]], *, kind: str
) -> dict[str, Any]:
    """COCO's twelve numbers and the AP of each class.

    Parameters
    ----------
    truth : COCO dictionary with images, categories and annotations (bbox, area, segmentation).
    results : COCO results: image_id, category_id, score, and bbox or segmentation.
    kind : "bbox" or "segm".

    Returns
    -------
    Each of NUMBERS in [0, 1] or None; per_class: {category_id as text: AP or None}.

    Raises
    ------
    ValueError : a result speaks of an image or a class that the truth does not have.
    """
    _check(truth, results)
    with redirect_stdout(None):  # pycocotools prints
        gold = _indexed({**truth, "annotations": _numbered(truth["annotations"])})
        found = _loaded(gold, results, KINDS[kind])
        scorer = COCOeval(gold, found, kind)
        scorer.evaluate()
        scorer.accumulate()
        scorer.summarize()
    numbers = {name: _number(value) for name, value in zip(NUMBERS, scorer.stats, strict=True)}
    return {**numbers, "per_class": _per_class(scorer)}


def _check(truth: Mapping[str, Any], results: Sequence[Mapping[str, Any]]) -> None:
    for key, entries in (("image_id", truth["images"]), ("category_id", truth["categories"])):
        known = {entry["id"] for entry in entries}
        odd = sorted({result[key] for result in results} - known)
        if odd:
            raise ValueError(f"predictions: {key} {odd[0]} is not in the ground truth.")


def _numbered(annotations: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Copies with ids from 1: COCOeval takes an object with id 0 for no match."""
    return [{**entry, "id": number} for number, entry in enumerate(annotations, start=1)]


def _indexed(dataset: dict[str, Any]) -> COCO:
    coco = COCO()
    coco.dataset = dataset
    coco.createIndex()
    return coco


def _loaded(gold: COCO, results: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> COCO:
    if not results:
        return _indexed({**gold.dataset, "annotations": []})
    names = ("image_id", "category_id", "score", *keys)
    return gold.loadRes([{name: result[name] for name in names} for result in results])


def _number(value: float) -> float | None:
    return None if value < 0 else float(value)


def _per_class(scorer: COCOeval) -> dict[str, float | None]:
    """AP of each class, over all sizes and with 100 detections per image."""
    precision = scorer.eval["precision"][:, :, :, 0, -1]  # (n_ious, n_recalls, n_classes)
    values = {}
    for column, category_id in enumerate(scorer.params.catIds):
        seen = precision[:, :, column]
        seen = seen[seen > -1]
        values[str(category_id)] = float(np.mean(seen)) if seen.size else None
    return values
