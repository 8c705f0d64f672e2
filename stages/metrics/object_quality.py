"""Every choice of one object's mask, scored against the object. Pure.

The choices are proposals of its bag, `random` (the mean over the bag), `best_in_bag` (the ceiling),
`pseudo_label`, the mask that was written, which need not be in the bag (SAM may have been asked
again, or a label transform have changed it), and `trusted`, the same where it is to train a mask.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from stages.geometry.boxes import box_area
from stages.geometry.masks import Rle, rle_areas, rle_boxes
from stages.metrics.choices import ScoredBag, choice_weights
from stages.metrics.mask_quality import mask_statistics

PSEUDO_LABEL, TRUSTED = "pseudo_label", "trusted"


@dataclass(frozen=True, slots=True)
class TrueObject:
    """One object.

    rle, box : its mask and its box, (4,) float64 xyxy px.
    difficulty : text of the annotation's key `difficulty`, or None where it has none.
    """

    category_id: int
    rle: Rle
    box: np.ndarray
    difficulty: str | None = None


@dataclass(frozen=True, slots=True)
class WrittenLabel:
    """What was written for one object.

    rle, box : its mask, which may be empty, and its box, (4,) float64 xyxy px.
    score : how sure the pipeline is, 0 to 1.
    is_trusted : whether the mask is to be trained, not the box alone.
    agreement : IoU of the mask's box with the box that a person gave, by the conventions of
        `drop_rates`; empty where nobody gave one.
    """

    rle: Rle
    box: np.ndarray
    score: float
    is_trusted: bool
    agreement: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ObjectQuality:
    """What is known of one object.

    statistics : for each choice (s,), as `mask_quality.STATISTICS`.
    ratios : for each choice R_v = mask area / box area, 0 to 1 (SAPNet, Table 7).
    best_ratio : highest R_v of the bag. truth_ratio : R_v of the object.
    """

    statistics: Mapping[str, np.ndarray]
    ratios: Mapping[str, float]
    best_ratio: float
    truth_ratio: float


def object_quality(
    bag: ScoredBag,
    chosen: Mapping[str, int],
    written: WrittenLabel | None,
    *,
    truth: TrueObject,
    others: Sequence[Rle],
    limits: Mapping[str, float],
) -> ObjectQuality:
    """Score a bag that is not empty, and the pseudo-label, against one object.

    Parameters
    ----------
    chosen : proposal_id of each choice that the pipeline made.
    written : the pseudo-label, or None where there is none. Its R_v is that of its mask's own box.
    others : masks of the other objects of its class in the image.
    limits : group_cover, local_cover and local_inside of `mask_statistics`.
    """
    rows = mask_statistics(bag.rles, bag.boxes, truth.rle, truth.box, others, **limits)  # (n, s)
    ratios = _ratios(bag.area, bag.boxes)
    weights = choice_weights(bag, rows, chosen)
    statistics = {name: weight @ rows for name, weight in weights.items()}
    kept = {name: float(weight @ ratios) for name, weight in weights.items()}
    if written:
        row = mask_statistics(
            [written.rle], written.box[None], truth.rle, truth.box, others, **limits
        )[0]
        for name in (PSEUDO_LABEL, TRUSTED) if written.is_trusted else (PSEUDO_LABEL,):
            statistics[name], kept[name] = row, _ratio(written.rle)
    return ObjectQuality(statistics, kept, float(ratios.max()), _ratio(truth.rle))


def _ratio(rle: Rle) -> float:
    return float(_ratios(rle_areas([rle]), rle_boxes([rle]))[0])


def _ratios(area: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """(n,) mask area / box area; 0 for an empty mask without a box."""
    return np.asarray(area / np.maximum(box_area(boxes), 1e-9))
