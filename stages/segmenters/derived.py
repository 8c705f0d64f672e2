"""What SAM is asked: the weak label's point, more points inside its first masks, boxes around them.

The paper has three masks from the point and three more from an enhanced label; any prompt that
speaks of the same object may widen the bag (SAPNet, Sec. 4.2; the author: "6, 9 or more").
"""

from dataclasses import dataclass

import numpy as np

from stages.geometry.boxes import clip_boxes, scale_boxes
from stages.geometry.masks import rle_boxes
from stages.segmenters.answers import Answer

INNER_POINTS = 2  # drawn in a mask, beside the weak label's point


@dataclass(frozen=True, slots=True)
class Question:
    """One prompt for one instance.

    points : (p, 2) float32 x, y in px of the original image, all of them on the object, or None.
    box : (4,) float32 xyxy px, or None.
    """

    instance: int
    kind: str
    index: int
    points: np.ndarray | None
    box: np.ndarray | None


def point_questions(points: np.ndarray) -> list[Question]:
    """One question per instance from the weak labels' points, (n, 2) x, y px."""
    return [Question(i, "point", 0, point[None], None) for i, point in enumerate(points)]


def inner_point_questions(
    first: list[list[Answer]], points: np.ndarray, rngs: list[np.random.Generator], *, count: int
) -> list[Question]:
    """The point and two more inside each of the `count` largest first masks.

    Parameters
    ----------
    first : for each instance its answers to the point prompt.
    rngs : one generator per instance, so that no instance depends on another.
    """
    questions = []
    for i, (answers, rng) in enumerate(zip(first, rngs, strict=True)):
        for index, answer in enumerate(_largest(answers, count)):
            drawn = _inside(answer.mask(), rng)
            both = np.concatenate([points[i][None], drawn]).astype(np.float32)
            questions.append(Question(i, "inner_points", index, both, None))
    return questions


def box_questions(
    first: list[list[Answer]], height: int, width: int, *, count: int, scale: float
) -> list[Question]:
    """Boxes `scale` times those of the `count` largest first masks, cut at the image border."""
    questions = []
    for i, answers in enumerate(first):
        for index, answer in enumerate(_largest(answers, count)):
            if answer.area:
                box = scale_boxes(rle_boxes([answer.rle]), scale)
                box = clip_boxes(box, height, width)[0].astype(np.float32)
                questions.append(Question(i, "boxes", index, None, box))
    return questions


def _largest(answers: list[Answer], count: int) -> list[Answer]:
    return sorted(answers, key=lambda answer: -answer.area)[:count]


def _inside(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Pixel centres drawn in a mask, (INNER_POINTS, 2) x, y; none for an empty mask."""
    rows, columns = np.nonzero(mask)
    if not len(rows):
        return np.zeros((0, 2), dtype=np.float32)
    chosen = rng.integers(len(rows), size=INNER_POINTS)
    return np.stack([columns[chosen], rows[chosen]], axis=1).astype(np.float32) + 0.5
