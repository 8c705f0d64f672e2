"""What a person has made of the labels of an image: accepted, mended, deleted or added. Pure.

Tools keep no id of ours for sure, so labels and what came back are matched by their masks: one to
one, the largest overlap first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from stages.geometry.masks import Rle, rle_iou

Status = Literal["accepted", "corrected", "deleted", "added"]


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A label of ours, or what a person has drawn. number : of ours, its annotation; else any."""

    number: int
    category_id: int
    rle: Rle


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What became of a label. number : its annotation, or None for one that was added."""

    number: int | None
    status: Status
    category_id: int
    rle: Rle


def outcomes(
    ours: Sequence[Shape], theirs: Sequence[Shape], *, same: float, alike: float
) -> list[Outcome]:
    """What a person has made of the labels of one image.

    Parameters
    ----------
    ours : the labels that were handed out. theirs : what came back, all with pixels.
    same : IoU from which a mask was left as it was: tools that keep polygons redraw it.
    alike : IoU from which a mask is what became of a label; below, one was deleted and one added.

    Returns
    -------
    Ours in their order, then what was added in its order. What was accepted keeps our mask.
    """
    found: dict[int, Outcome] = {}
    pairs = dict(_pairs([s.rle for s in ours], [s.rle for s in theirs], alike))
    overlap = rle_iou([s.rle for s in ours], [s.rle for s in theirs])
    for place, shape in enumerate(ours):
        if place not in pairs:
            found[place] = Outcome(shape.number, "deleted", shape.category_id, shape.rle)
            continue
        other = theirs[pairs[place]]
        kept = overlap[place, pairs[place]] >= same
        is_left = kept and other.category_id == shape.category_id
        rle = shape.rle if kept else other.rle
        status: Status = "accepted" if is_left else "corrected"
        found[place] = Outcome(shape.number, status, other.category_id, rle)
    added = [s for place, s in enumerate(theirs) if place not in set(pairs.values())]
    return [
        *(found[place] for place in range(len(ours))),
        *(Outcome(None, "added", s.category_id, s.rle) for s in added),
    ]


def is_untouched(made: Sequence[Outcome]) -> bool:
    """Whether all labels of an image came back as they were handed out."""
    return all(outcome.status == "accepted" for outcome in made)


def _pairs(ours: Sequence[Rle], theirs: Sequence[Rle], alike: float) -> list[tuple[int, int]]:
    """Places of ours and theirs that belong together, the largest overlap first."""
    left = np.array(rle_iou(ours, theirs))
    found: list[tuple[int, int]] = []
    while left.size and left.max() >= alike:
        row, column = divmod(int(left.argmax()), left.shape[1])
        found.append((row, column))
        left[row, :], left[:, column] = -1.0, -1.0
    return found
