"""The mirrored image as a second opinion: SAM is asked the same questions about it.

What SAM gets wrong at the border of an object differs between an image and its mirror image, what
it gets right does not; so the bag holds more good masks, and those that agree say which. Not in the
paper, which leaves open how a bag is filled (Sec. 4.2; the author: "6, 9 or more").
"""

from dataclasses import replace

import numpy as np

from stages.geometry.masks import masks_to_rles
from stages.segmenters.answers import Answer
from stages.segmenters.derived import Question

PREFIX = "mirrored_"  # before the kind of a prompt to the mirrored image
NUDGE = 1e-3  # px: the left edge, x = 0, is mirrored to just inside the right one


def mirrored_image(image: np.ndarray) -> np.ndarray:
    """(height, width, 3) with left and right exchanged."""
    return np.ascontiguousarray(image[:, ::-1])


def mirrored_points(points: np.ndarray, width: int) -> np.ndarray:
    """(n, 2) x, y px with left and right exchanged, inside [0, width)."""
    x = np.clip(width - points[:, 0], 0, width - NUDGE)
    return np.stack([x, points[:, 1]], axis=1).astype(np.float32)


def mirrored_back(bag: list[tuple[Question, Answer]]) -> list[tuple[Question, Answer]]:
    """Answers about the mirrored image as masks of the image; their prompts are named so."""
    if not bag:
        return []
    masks = np.stack([answer.mask()[:, ::-1] for _, answer in bag])
    rles = masks_to_rles(np.ascontiguousarray(masks))
    return [
        (replace(question, kind=PREFIX + question.kind), replace(answer, rle=rle))
        for (question, answer), rle in zip(bag, rles, strict=True)
    ]
