"""What a batch is made of: so many boxes and so many salient images, in every batch alike.

BoxCaseg (CVPR 2021), Table 5: 9 boxes to 7 salient images is best on COCO (the released script has
11 to 5). An epoch shows each salient image once, beside as many boxes as fall to them. Boxes that
overlap another of their image are left out of most epochs (public code). The sampler is written
anew: the authors' has an undefined variable in one branch, and never winds its boxes back.
"""

from dataclasses import dataclass

import numpy as np

from stages.geometry.boxes import box_iou


@dataclass(frozen=True, slots=True)
class Composition:
    """boxes, salient : items of a batch. steps : batches of an epoch, at least 1."""

    boxes: int
    salient: int
    steps: int


def composition(boxes: int, salient: int, batch: int, *, ratio: float) -> Composition:
    """What a batch is made of.

    Parameters
    ----------
    boxes, salient : how many there are. batch : items of a batch. ratio : share of the boxes in it;
        0: salient images alone; 1: boxes alone, and an epoch shows each of them once.

    Source: BoxCaseg, public code (`combined_random_sampler`): salient / (1 - ratio) / batch
    batches, in which int(batch * ratio) items, at least one, are boxes.
    """
    if ratio >= 1:
        return Composition(batch, 0, max(-(-boxes // batch), 1))
    part = max(int(batch * ratio), 1) if ratio > 0 else 0
    return Composition(part, batch - part, max(int(salient / (1 - ratio) / batch), 1))


def overlapping(boxes: np.ndarray, *, iou: float) -> np.ndarray:
    """(n,) bool: which of the (n, 4) xyxy boxes of an image overlap another by more than `iou`."""
    others = box_iou(boxes, boxes)
    np.fill_diagonal(others, 0)
    return np.asarray((others > iou).any(axis=1)) if len(boxes) else np.zeros(0, dtype=bool)


def kept_of(crowded: np.ndarray, chance: float, rng: np.random.Generator) -> np.ndarray:
    """Places of the boxes of an epoch, in a random order.

    Parameters
    ----------
    crowded : (n,) bool of `overlapping`. chance : with which a crowded box is left out, 0 to 1.

    Returns
    -------
    (k,) int; where all would be left out, all of them.
    """
    kept = ~crowded | (rng.random(len(crowded)) >= chance)
    places = np.flatnonzero(kept) if kept.any() else np.arange(len(crowded))
    return np.asarray(rng.permutation(places))


def taken(order: np.ndarray, first: int, count: int) -> list[int]:
    """`count` items of a line from place `first` on; behind its end it begins anew."""
    return [int(order[place % len(order)]) for place in range(first, first + count)]
