"""How good a pseudo-label is thought to be, as its annotation tells."""

from typing import Any

from stages.geometry.boxes import box_iou
from stages.geometry.masks import rle_boxes, rle_of
from stages.labels.pseudo_label import DIGITS, PseudoLabel


def quality_of(label: PseudoLabel, row: dict[str, Any]) -> dict[str, Any]:
    """Key `quality` of an annotation.

    Parameters
    ----------
    label : as the transforms leave it. row : of table `pseudo_labels`, as refine made it.

    Returns
    -------
    {"mask_quality": 0 to 1, the IoU that is expected of the mask, "mask_source", "box_fit": IoU of
    refine's mask with the box that it knows, by hulls}; where it was graded "reasons": what speaks
    against it, the worst first, and "method_score": how sure the method is of the class; and
    "agreement" where a transform has measured it, on the mask that it was given.
    """
    hull = rle_boxes([rle_of(row["rle"], row["height"], row["width"])])
    quality = {
        "mask_quality": round(row["mask_quality"], DIGITS),
        "mask_source": row["mask_source"],
        "box_fit": round(float(box_iou(hull, label.refined[None])[0, 0]), DIGITS),
    }
    if "reasons" in row:
        quality |= {"reasons": row["reasons"], "method_score": round(row["method_score"], DIGITS)}
    if label.agreement is not None:
        quality["agreement"] = round(label.agreement, DIGITS)
    return quality
