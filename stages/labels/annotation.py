"""A pseudo-label as a COCO annotation: its shape, how sure it is, and where it came from."""

from typing import Any

from stages.geometry.boxes import box_iou, xyxy_to_xywh
from stages.geometry.masks import Rle, rle_areas, rle_boxes, rle_of
from stages.labels.pseudo_label import PseudoLabel

DIGITS = 6  # of scores; float32 holds no more


def annotation_of(
    label: PseudoLabel, row: dict[str, Any], weak_label: dict[str, Any], *, extra_masks: int
) -> dict[str, Any]:
    """One annotation, but for its id.

    Parameters
    ----------
    label : as the transforms leave it.
    row : of table `refinements`, as refine made it. weak_label : of table `weak_labels`.
    extra_masks : at most so many runner-up masks; transforms do not touch them.

    Returns
    -------
    COCO's keys with score, mask_weight, extra_masks, quality and provenance.
    """
    return {
        "image_id": label.image_id,
        "category_id": weak_label["category_id"],
        **shape_of(label),
        "iscrowd": 0,
        "score": label.score,
        "extra_masks": _extra(row, extra_masks),
        "quality": _quality(row, label),
        "provenance": _provenance(row, weak_label),
    }


def shape_of(label: PseudoLabel) -> dict[str, Any]:
    """Keys bbox, area, segmentation and mask_weight of an annotation.

    A trusted mask gives box and area. Where the weight is 0, `bbox` is the box to train and `area`
    its area; `segmentation` is the mask all the same, with or without pixels, since readers of COCO
    stumble over annotations that lack it.
    """
    box = label.hull if label.mask_weight else label.stand_in
    xywh = [round(float(value), 2) for value in xyxy_to_xywh(box)]
    return {
        "bbox": xywh,
        "area": label.area if label.mask_weight else round(xywh[2] * xywh[3], 2),
        "segmentation": _written(label.rle),
        "mask_weight": label.mask_weight,
    }


def _written(rle: Rle) -> dict[str, Any]:
    return {"size": rle["size"], "counts": rle["counts"].decode("ascii")}


def _extra(row: dict[str, Any], count: int) -> list[dict[str, Any]]:
    rles = [rle_of(counts, row["height"], row["width"]) for counts in row["extra_rles"]]
    areas = rle_areas(rles)
    return [_written(rle) for rle, area in zip(rles, areas, strict=True) if area][:count]


def _quality(row: dict[str, Any], label: PseudoLabel) -> dict[str, Any]:
    """How sure refine was: PRM score, BMS rule, origin of the mask, its fit to the refined box.

    `agreement` is there only where a transform has measured it, on the mask that it was given.
    """
    hull = rle_boxes([rle_of(row["rle"], row["height"], row["width"])])
    quality = {
        "prm_score": round(row["score"], DIGITS),
        "bms_rule": row["bms_rule"],
        "mask_source": row["mask_source"],
        "box_fit": round(float(box_iou(hull, label.refined[None])[0, 0]), DIGITS),
    }
    if label.agreement is not None:
        quality["agreement"] = round(label.agreement, DIGITS)
    return quality


def _provenance(row: dict[str, Any], label: dict[str, Any]) -> dict[str, Any]:
    point = None if label["x"] is None else [round(label["x"], 2), round(label["y"], 2)]
    return {
        "instance_id": row["instance_id"],
        "proposal_id": row["proposal_id"],
        "proposal_id_select": row["proposal_id_select"],
        "prompt": {"kind": label["kind"], "point": point, "box": label["box"]},
    }
