"""Answers to the prompts of an image's tags: which masks stay, of those that are alike one.

WeakSAM, Sec. 3.2, and its public code: of a grid all masks that the segmenter is sure of, of a peak
those of the part and of the whole; then suppression within each source, never across.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from stages.geometry.masks import masks_to_rles, rle_boxes
from stages.geometry.suppression import best_boxes, first_boxes
from stages.segmenters.answers import Answer, answers_of
from stages.segmenters.derived import Question
from stages.segmenters.segmenter import Answered
from stages.settings.propose import Grid, Peaks, Propose
from stages.tables.prompts import GRID

CROSS = "cross"  # map whose peaks are of no class
Pair = tuple[Question, Answer]


def by_source(questions: Iterable[Question]) -> dict[str, list[Question]]:
    """The questions of each source, in the order in which the sources come."""
    found: dict[str, list[Question]] = {}
    for question in questions:
        if question.source is not None:
            found.setdefault(question.source, []).append(question)
    return found


def pairs_of(question: Question, answered: Answered, settings: Propose) -> list[Pair]:
    """The answers to one question that stay for themselves: wanted slots, sure, not empty."""
    rule: Grid | Peaks = settings.grid if question.source == GRID else settings.peaks
    slots = [slot for slot in rule.masks if slot < len(answered.masks)]
    if isinstance(rule, Grid):
        sure = answered.predicted_iou > rule.predicted_iou
        slots = [s for s in slots if sure[s] and answered.stability[s] >= rule.stability]
    answers = answers_of(answered, question.anchor, share=settings.clean, slots=slots)
    return [(question, answer) for answer in answers if answer.area]


def distinct(pairs: Sequence[Pair], source: str, settings: Propose) -> list[Pair]:
    """The answers of one source after suppression."""
    rule = settings.grid if source == GRID else settings.peaks
    boxes = rle_boxes([answer.rle for _, answer in pairs])
    kept: Sequence[int] = range(len(pairs))
    if source == CROSS and settings.peaks.cross_nms is not None:
        kept = first_boxes(boxes, iou=settings.peaks.cross_nms).tolist()
    elif rule.nms is not None:
        scores = np.array([answer.predicted_iou for _, answer in pairs], dtype=np.float64)
        kept = best_boxes(boxes, scores, iou=rule.nms).tolist()
    return [pairs[number] for number in kept]


def nothing_for(question: Question, height: int, width: int) -> Pair:
    """An empty answer, so that no bag is empty."""
    (rle,) = masks_to_rles(np.zeros((1, height, width), dtype=np.uint8))
    return question, Answer(slot=0, rle=rle, area=0, predicted_iou=0.0, stability=0.0)
