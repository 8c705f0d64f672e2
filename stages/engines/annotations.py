"""What a training reads of one COCO annotation: checked, and as little as it needs."""

import math
from typing import Any, Literal

import numpy as np

from stages.geometry.boxes import clip_boxes, xywh_to_xyxy
from stages.geometry.masks import checked_segmentation

EXTRA_MASKS = 3  # of an annotation at most: SAPNet, Sec. 7
KEPT = (
    *("id", "image_id", "category_id", "iscrowd", "bbox", "segmentation"),
    *("mask_weight", "score", "ignore_mask"),
)
NO_NULL = ("id", "image_id", "category_id", "bbox", "mask_weight")  # there it is a fault
Rule = Literal["label", "score", "box_fit"]


def check_annotation(entry: dict[str, Any], size: tuple[int, int]) -> None:
    """Raise ValueError unless the keys that a training reads have values that it can use.

    Parameters
    ----------
    entry : as `slim` leaves it.
    size : (height, width) px of its image, which its masks must fit; nothing is drawn.
    """
    box: Any = entry.get("bbox")
    is_box = isinstance(box, list) and len(box) == 4 and all(map(_is_number, box))
    if not is_box or not _has_area(box, size):
        raise ValueError(
            f"its bbox is {box!r}, not [x, y, width, height] with an area inside its image of "
            f"{size[1]} x {size[0]} px. Correct or remove it."
        )
    weight = entry.get("mask_weight", 1)
    if not _is_within(weight, math.inf):
        raise ValueError(
            f"its mask_weight is {weight!r}, no finite number from 0 on. Give 0 to train its box "
            "alone, 1 to train its mask too."
        )
    for name, value in (("score", entry.get("score")), ("quality.box_fit", entry.get("box_fit"))):
        if value is not None and not _is_within(value, 1):
            raise ValueError(f"its {name} is {value!r}, no number from 0 to 1. Correct it.")
    _check_masks(entry, size)


def _check_masks(entry: dict[str, Any], size: tuple[int, int]) -> None:
    """The mask, the extra masks and the pixels to be ignored, where there are any."""
    extra = entry.get("extra_masks") or []
    if not isinstance(extra, list) or len(extra) > EXTRA_MASKS:
        raise ValueError(
            f"its extra_masks are no list of at most {EXTRA_MASKS} masks. Remove some."
        )
    if entry.get("segmentation"):
        checked_segmentation(entry["segmentation"], *size)
    named = [("extra mask", mask) for mask in extra]
    if entry.get("ignore_mask"):
        named.append(("ignore_mask", entry["ignore_mask"]))
    for name, mask in named:
        try:
            checked_segmentation(mask, *size)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None


def _has_area(box: list[float], size: tuple[int, int]) -> bool:
    """Whether anything is left of a box in its image, at the precision that it is trained with."""
    with np.errstate(over="ignore"):
        corners = xywh_to_xyxy(np.array(box, dtype=np.float32))
    inside = clip_boxes(corners, *size)
    return bool(np.isfinite(corners).all() and (inside[2:] > inside[:2]).all())


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _is_within(value: Any, high: float) -> bool:
    return _is_number(value) and 0 <= value <= high


def _box_fit(entry: dict[str, Any]) -> Any:
    quality = entry.get("quality")
    return quality.get("box_fit") if isinstance(quality, dict) else None


def slim(entry: dict[str, Any], *, extra_masks: bool) -> dict[str, Any]:
    """What is kept in memory of an annotation; `box_fit` stands beside its other keys."""
    names = (*KEPT, "extra_masks") if extra_masks else KEPT
    values = {**{key: entry[key] for key in names if key in entry}, "box_fit": _box_fit(entry)}
    return {key: value for key, value in values.items() if value is not None or key in NO_NULL}


def weight_of(entry: dict[str, Any], rule: Rule) -> float:
    """Mask weight of a slim annotation; 0 without a mask.

    Parameters
    ----------
    rule : the key mask_weight (1 without), or that times the score or box_fit, where it has one.
    """
    if not entry.get("segmentation"):
        return 0.0
    factor = 1 if rule == "label" else entry.get(rule, 1)
    return float(entry.get("mask_weight", 1) * factor)
