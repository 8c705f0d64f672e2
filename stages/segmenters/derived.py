"""What a segmenter is asked: the prompts themselves, more points in its first masks, boxes around.

The paper has three masks from the point and three more from an enhanced label; any prompt that
speaks of the same object may widen the bag (SAPNet, Sec. 4.2; the author: "6, 9 or more"). Prompts
are derived from points alone: a box says already which of the nested objects is meant.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from stages.geometry.boxes import clip_boxes, scale_boxes
from stages.geometry.masks import rle_boxes
from stages.runtime.randomness import Purpose, rng_of
from stages.segmenters.answers import Answer
from stages.segmenters.segmenter import Asked
from stages.tables.prompts import GRID

INNER_POINTS = 2  # drawn in a mask, beside the weak label's point


@dataclass(frozen=True, slots=True)
class Question:
    """One question about one object.

    bag_id, prompt_id : the prompt that it asks about, at first or second hand.
    kind : of the prompt, or the source of derived ones. derived : their number, or that of a grid's
    point, None: the prompt.
    asked : in px of the image. anchor : (2,) float32 x, y px, where the object is thought to be.
    category_id : class of the prompt, None: any. source : "grid", or the map of a peak; None for
    what is asked about an object.
    """

    bag_id: int
    prompt_id: int
    kind: str
    derived: int | None
    asked: Asked
    anchor: np.ndarray
    category_id: int | None = None
    source: str | None = None

    @property
    def derives(self) -> bool:
        """Whether more prompts may be made of the answers."""
        return self.asked.box is None


First = Sequence[tuple[Question, Sequence[Answer]]]  # prompts of points and their answers, by slot


def own_questions(prompts: pa.Table) -> list[Question]:
    """The questions that rows of table `prompts` are, those without a box before those with one.

    Parameters
    ----------
    prompts : of one image, at any number of bags; each with points, a box or both. Of a grid each
        point is a question.
    """
    rows = itertools.chain.from_iterable(map(_asked_alone, prompts.to_pylist()))
    questions = [_question(row) for row in rows]
    return sorted(questions, key=lambda question: question.asked.box is not None)


def _asked_alone(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The prompts that a row stands for: a grid for each of its points, with their numbers."""
    if row["kind"] != GRID:
        return [{**row, "derived": None}]
    points = enumerate(row["points"])
    return [{**row, "points": [at], "point_signs": [1], "derived": k} for k, at in points]


def _question(row: dict[str, Any]) -> Question:
    points = None if row["points"] is None else np.array(row["points"], np.float32).reshape(-1, 2)
    signs = None if row["point_signs"] is None else np.array(row["point_signs"], dtype=np.int32)
    box = None if row["box"] is None else np.array(row["box"], dtype=np.float32)
    asked = Asked(points, signs, box)
    return Question(
        row["bag_id"],
        row["prompt_id"],
        row["kind"],
        row["derived"],
        asked,
        _anchor(points, signs, box),
        category_id=row["category_id"],
        source=GRID if row["kind"] == GRID else row["source_map"],
    )


def _anchor(
    points: np.ndarray | None, signs: np.ndarray | None, box: np.ndarray | None
) -> np.ndarray:
    """The first point on the object, or the centre of its box."""
    if points is not None and signs is not None and (signs == 1).any():
        return np.asarray(points[int(np.argmax(signs == 1))])
    if box is None:
        raise RuntimeError("a prompt has neither a point on the object nor a box.")
    return np.asarray((box[:2] + box[2:]) / 2)


def with_larger_box(question: Question, height: int, width: int, *, scale: float) -> Question:
    """The question with its box `scale` times as large, cut at the image border.

    The question itself where it has no box, or for a scale of 1.
    """
    if question.asked.box is None or scale == 1:
        return question
    large = scale_boxes(question.asked.box.astype(np.float64), scale)
    box = clip_boxes(large, height, width).astype(np.float32)
    return replace(question, asked=replace(question.asked, box=box))


def inner_point_questions(first: First, *, count: int, seed: int) -> list[Question]:
    """The points and two more inside each of the `count` largest masks of each prompt.

    Parameters
    ----------
    seed : random numbers depend on it, the bag and the prompt alone.
    """
    questions = []
    for question, answers in first:
        points, signs = question.asked.points, question.asked.signs
        assert points is not None
        assert signs is not None
        own = [question.prompt_id] if question.prompt_id else []  # 0 draws as it always did
        rng = rng_of(seed, Purpose.INNER_POINTS, question.bag_id, *own)
        for number, answer in enumerate(_largest(answers, count)):
            drawn = _inside(answer.mask(), rng)
            more = np.concatenate([signs, np.ones(len(drawn), dtype=signs.dtype)])
            asked = Asked(np.concatenate([points, drawn]).astype(np.float32), more, None)
            questions.append(_derived(question, "inner_points", number, asked))
    return questions


def box_questions(
    first: First, height: int, width: int, *, count: int, scale: float
) -> list[Question]:
    """Boxes `scale` times those of the `count` largest masks, cut at the image border."""
    questions = []
    for question, answers in first:
        for number, answer in enumerate(_largest(answers, count)):
            if answer.area:
                box = scale_boxes(rle_boxes([answer.rle]), scale)
                box = clip_boxes(box, height, width)[0].astype(np.float32)
                questions.append(_derived(question, "boxes", number, Asked(None, None, box)))
    return questions


def _derived(question: Question, kind: str, number: int, asked: Asked) -> Question:
    return Question(
        question.bag_id, question.prompt_id, kind, number, asked, anchor=question.anchor
    )


def _largest(answers: Sequence[Answer], count: int) -> list[Answer]:
    return sorted(answers, key=lambda answer: -answer.area)[:count]


def _inside(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Pixel centres drawn in a mask, (INNER_POINTS, 2) x, y; none for an empty mask."""
    up_to = np.cumsum(np.count_nonzero(mask, axis=1))  # pixels of the mask to the end of each row
    if not up_to[-1]:
        return np.zeros((0, 2), dtype=np.float32)
    chosen = rng.integers(up_to[-1], size=INNER_POINTS)
    rows = np.searchsorted(up_to, chosen, side="right")
    columns = np.array(
        [_column(mask[row], up_to[row] - one) for row, one in zip(rows, chosen, strict=True)]
    )
    return np.stack([columns, rows], axis=1).astype(np.float32) + 0.5


def _column(row: np.ndarray, from_right: int) -> int:
    """Column of the pixel of a mask's row that is so many from the right, 1 being the last."""
    return int(np.flatnonzero(row)[-from_right])
