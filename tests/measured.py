"""Metrics as evaluate writes them, from a few numbers: all objects of one difficulty fare alike."""

from collections.abc import Mapping
from typing import Any

SIZES = {"single": 10, "part": 30}
SMALL, LARGE = "< 2 %", ">= 2 %"  # of the image's area


def measured(
    values: Mapping[str, float],
    *,
    sizes: Mapping[str, int] | None = None,
    gap: float | None = 0.1,
    small: int = 7,
    detector: float | None = None,
    label_ap: float | None = None,
) -> dict[str, Any]:
    """Metrics of one variant and seed.

    Parameters
    ----------
    values : mask IoU of each choice; box IoU is 0.1 higher, that of parts 0.2 lower.
        Seven objects are small, and of 0.3 less; none is where `small` is 0.
    sizes : objects by difficulty; an empty dictionary is 40 objects without difficulties.
    detector : mask AP; box AP is 0.1 higher. label_ap : mask AP of the labels.
    """
    groups = SIZES if sizes is None else sizes
    scored = sum(groups.values()) or 40
    choices = {
        name: {
            **statistics(value, scored),
            "by_difficulty": {
                group: statistics(value - 0.2 * (group == "part"), count)
                for group, count in groups.items()
            },
            "by_size": {
                **({SMALL: statistics(value - 0.3, small)} if small else {}),
                LARGE: statistics(value, scored - small),
            },
        }
        for name, value in values.items()
    }
    return {
        "counts": {"images": 5, "scored": scored},
        "label_quality": {
            "choices": choices,
            "sizes": [SMALL, LARGE],
            "gap": {name: {"gap": gap, "kept": 1, "r_v": 0.5} for name in choices},
        },
        "label_ap": None if label_ap is None else {"segm": {"AP": label_ap}, "bbox": {"AP": 0.9}},
        "detector": None if detector is None else detected(detector),
    }


def statistics(value: float, count: int) -> dict[str, float]:
    """Statistics of a choice with this mask IoU."""
    shares = {"mask_iou_50": 0.9, "mask_iou_75": 0.5, "group": 0.5 - value / 2, "local": 0.25}
    return {"n": count, "box_iou": value + 0.1, "mask_iou": value, **shares}


def detected(value: float) -> dict[str, Any]:
    """Scores of a detector with this mask AP."""
    mask = {"AP": value, "AP50": value + 0.2, "AP75": None}
    return {"images": 3, "objects": 7, "detections": 9, "bbox": {"AP": value + 0.1}, "segm": mask}
