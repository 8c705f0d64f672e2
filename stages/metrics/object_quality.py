"""Every choice of one object's mask, scored against the object. Pure.

The choices are proposals of its bag, `random` (the mean over the bag), `best_in_bag` (the ceiling)
and `pseudo_label`, the mask that was written, which need not be in the bag: SAM may have been
asked again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stages.geometry.boxes import box_area
from stages.geometry.masks import Rle, rle_areas, rle_boxes
from stages.metrics.choices import Bag, choice_weights
from stages.metrics.mask_quality import mask_statistics

PSEUDO_LABEL = "pseudo_label"


@dataclass(frozen=True, slots=True)
class ObjectQuality:
    """What is known of one object.

    statistics : for each choice (6,), as `mask_quality.STATISTICS`.
    ratios : for each choice R_v = mask area / box area, 0 to 1 (SAPNet, Table 7).
    best_ratio : highest R_v of the bag. truth_ratio : R_v of the object.
    """

    statistics: Mapping[str, np.ndarray]
    ratios: Mapping[str, float]
    best_ratio: float
    truth_ratio: float


def object_quality(
    bag: Bag,
    chosen: Mapping[str, int],
    written: Rle | None,
    *,
    truth: Rle,
    truth_box: np.ndarray,
    others: Sequence[Rle],
    limits: Mapping[str, float],
) -> ObjectQuality:
    """Score a bag that is not empty, and the mask that was written, against one object.

    Parameters
    ----------
    chosen : proposal_id of each choice that the pipeline made.
    written : the pseudo-label, or None where there is none; its box is the hull of the mask.
    truth, truth_box : the object's mask and its box, (4,) xyxy px.
    others : masks of the other objects of its class in the image.
    limits : group_cover, local_cover and local_inside of `mask_statistics`.
    """
    size, extra = len(bag.rles), [] if written is None else [written]
    rles, boxes = [*bag.rles, *extra], np.concatenate([bag.boxes, rle_boxes(extra)])
    rows = mask_statistics(rles, boxes, truth, truth_box, others, **limits)  # (size + 1 or 0, 6)
    ratios = _ratios(np.concatenate([bag.area, rle_areas(extra)]), boxes)
    weights = choice_weights(bag, rows[:size], chosen)
    statistics = {name: weight @ rows[:size] for name, weight in weights.items()}
    kept = {name: float(weight @ ratios[:size]) for name, weight in weights.items()}
    if extra:
        statistics[PSEUDO_LABEL], kept[PSEUDO_LABEL] = rows[size], float(ratios[size])
    goal = _ratios(rle_areas([truth]), rle_boxes([truth]))
    return ObjectQuality(statistics, kept, float(ratios[:size].max()), float(goal[0]))


def _ratios(area: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """(n,) mask area / box area; 0 for an empty mask without a box."""
    return np.asarray(area / np.maximum(box_area(boxes), 1e-9))
