"""The mirrored image as a second opinion: a segmenter is asked the same questions about it.

What SAM gets wrong at the border of an object differs between an image and its mirror image, what
it gets right does not; so the bag holds more good masks, and those that agree say which. Not in the
paper, which leaves open how a bag is filled (Sec. 4.2; the author: "6, 9 or more").
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from stages.geometry.boxes import mirrored_boxes
from stages.geometry.masks import masks_to_rles
from stages.segmenters.answers import Answer
from stages.segmenters.derived import Question
from stages.segmenters.segmenter import Asked
from stages.tables.proposals import MIRRORED

NUDGE = 1e-3  # px: the left edge, x = 0, is mirrored to just inside the right one

Pair = tuple[Question, Answer]


def mirrored_image(image: np.ndarray) -> np.ndarray:
    """(height, width, 3) with left and right exchanged."""
    return np.ascontiguousarray(image[:, ::-1])


def mirrored_points(points: np.ndarray, width: int) -> np.ndarray:
    """(n, 2) x, y px with left and right exchanged, inside [0, width)."""
    x = np.clip(width - points[:, 0], 0, width - NUDGE)
    return np.stack([x, points[:, 1]], axis=1).astype(np.float32)


def mirrored_question(question: Question, width: int) -> Question:
    """The same question about the mirrored image."""
    points, box = question.asked.points, question.asked.box
    asked = Asked(
        None if points is None else mirrored_points(points, width),
        question.asked.signs,
        None if box is None else mirrored_boxes(box, width),
    )
    return replace(question, asked=asked, anchor=mirrored_points(question.anchor[None], width)[0])


def mirrored_back(pairs: Sequence[Pair]) -> list[Pair]:
    """Answers about the mirrored image as masks of the image; their prompts are named so.

    Their probabilities are left out: whoever reads those takes the image as it is.
    """
    if not pairs:
        return []
    masks = np.stack([answer.mask()[:, ::-1] for _, answer in pairs])
    rles = masks_to_rles(np.ascontiguousarray(masks))
    return [
        (replace(question, kind=MIRRORED + question.kind), replace(answer, rle=rle, soft=None))
        for (question, answer), rle in zip(pairs, rles, strict=True)
    ]
