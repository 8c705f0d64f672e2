"""One image and its prompts in, the bags of proposals out, whichever segmenter is asked.

The image is embedded once (twice with `mirror`). What is asked about an object comes first, then
what is asked about the tags of an image. Departures from SAPNet, each a config key: the bag
may be widened by prompts inside and around the first masks, stray components are removed, and the
mirrored image may be asked about too.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from stages.geometry.masks import rle_boxes
from stages.segmenters.answers import Answer, answers_of
from stages.segmenters.derived import (
    First,
    Question,
    box_questions,
    inner_point_questions,
    own_questions,
    with_larger_box,
)
from stages.segmenters.mirrored import Pair, mirrored_back, mirrored_image, mirrored_question
from stages.segmenters.segmenter import Segmenter
from stages.segmenters.tag_answers import by_source, distinct, nothing_for, pairs_of
from stages.settings.propose import LabelPrompt, Propose
from stages.tables.proposals import PROPOSALS
from stages.tables.table import rows_table

Bags = dict[int, list[Pair]]  # by bag_id, rising


class Proposer:
    """Makes the bags of one image after the other.

    Parameters
    ----------
    seed : of the points that are drawn inside masks.
    """

    def __init__(self, segmenter: Segmenter, settings: Propose, *, seed: int):
        self.segmenter, self.settings, self.seed = segmenter, settings, seed

    def rows(self, image: Mapping[str, Any], pixels: np.ndarray, prompts: pa.Table) -> pa.Table:
        """Rows of table `proposals` of one image.

        Parameters
        ----------
        image : row of table `images`. pixels : (height, width, 3) uint8 RGB.
        prompts : rows of table `prompts` of this image.
        """
        questions = own_questions(prompts)
        anchors = {(q.bag_id, q.prompt_id): q.anchor for q in questions}
        bags = self.bags(pixels, questions)
        return rows_table(PROPOSALS, _rows(image, bags, anchors))

    def bags(self, pixels: np.ndarray, questions: Sequence[Question]) -> Bags:
        """Answers to the questions and to those made of them, with what was asked.

        A bag is in the order of `propose.prompts`, within a source by falling predicted IoU. With
        `mirror` those of the mirrored image follow, in the same order.
        """
        bags = self._upright(pixels, questions)
        if self.settings.mirror and questions:
            there = [mirrored_question(question, pixels.shape[1]) for question in questions]
            for bag_id, pairs in self._upright(mirrored_image(pixels), there).items():
                bags[bag_id] += mirrored_back(pairs)
        return bags

    def _upright(self, pixels: np.ndarray, questions: Sequence[Question]) -> Bags:
        bags: Bags = {bag_id: [] for bag_id in sorted({q.bag_id for q in questions})}
        if not questions:
            return bags
        self.segmenter.embed(pixels)
        self._about_objects(bags, [q for q in questions if q.source is None], pixels.shape)
        self._about_tags(bags, [q for q in questions if q.source is not None], pixels.shape)
        return bags

    def _about_objects(
        self, bags: Bags, questions: Sequence[Question], shape: tuple[int, ...]
    ) -> None:
        first: list[tuple[Question, list[Answer]]] = []
        for prompt in self.settings.prompts if questions else ():
            if prompt.source == "label":
                found = self._about_labels(prompt, questions, shape)
                first = [pair for pair in found if pair[0].derives]
            else:
                asked = self._derived(prompt, first, shape)
                found = self._ask(asked, multimask=prompt.masks == "all")
            _append_sorted(bags, found)

    def _about_labels(
        self, prompt: LabelPrompt, questions: Sequence[Question], shape: tuple[int, ...]
    ) -> list[tuple[Question, list[Answer]]]:
        """Answers to the labels themselves, to their boxes as large as wanted."""
        asked = [
            with_larger_box(question, shape[0], shape[1], scale=prompt.scale)
            for question in questions
        ]
        own = [question.asked.box if prompt.cut else None for question in questions]
        found = self._ask(asked, multimask=prompt.masks == "all", boxes=own)
        return [
            (question, answers) for question, (_, answers) in zip(questions, found, strict=True)
        ]

    def _about_tags(
        self, bags: Bags, questions: Sequence[Question], shape: tuple[int, ...]
    ) -> None:
        """Answers to grids and peaks, source after source, behind what is there already."""
        for source, asked in by_source(questions).items():
            answered = self.segmenter.ask([q.asked for q in asked], multimask=True)
            pairs: list[Pair] = []
            for question, answer in zip(asked, answered, strict=True):
                pairs += pairs_of(question, answer, self.settings)
            kept = distinct(pairs, source, self.settings)
            _append_sorted(bags, [(question, [answer]) for question, answer in kept])
        for question in questions:
            if not bags[question.bag_id]:
                bags[question.bag_id].append(nothing_for(question, shape[0], shape[1]))

    def _derived(self, prompt: Any, first: First, shape: tuple[int, ...]) -> list[Question]:
        """The questions of one source of derived prompts, an item of `propose.prompts`."""
        if prompt.source == "inner_points":
            return inner_point_questions(first, count=prompt.count, seed=self.seed)
        return box_questions(first, shape[0], shape[1], count=prompt.count, scale=prompt.scale)

    def _ask(
        self,
        questions: Sequence[Question],
        *,
        multimask: bool,
        boxes: Sequence[np.ndarray | None] | None = None,
    ) -> list[tuple[Question, list[Answer]]]:
        """Answers to each question; `boxes`: what each is cut to, None: to nothing."""
        own = boxes or [None] * len(questions)
        answered = self.segmenter.ask([q.asked for q in questions], multimask=multimask)
        share = self.settings.clean
        return [
            (question, answers_of(answer, question.anchor, share=share, box=box))
            for question, answer, box in zip(questions, answered, own, strict=True)
        ]


def _append_sorted(bags: Bags, found: Sequence[tuple[Question, list[Answer]]]) -> None:
    """Add one source's answers to the bags, the highest predicted IoU first."""
    fresh: Bags = {}
    for question, answers in found:
        fresh.setdefault(question.bag_id, []).extend((question, answer) for answer in answers)
    for bag_id, pairs in fresh.items():
        bags[bag_id] += sorted(pairs, key=_place)


def _place(pair: Pair) -> tuple[float, int, int, int]:
    question, answer = pair
    return (-answer.predicted_iou, question.prompt_id, question.derived or 0, answer.slot)


def _rows(
    image: Mapping[str, Any], bags: Bags, anchors: Mapping[tuple[int, int], np.ndarray]
) -> list[dict[str, Any]]:
    return [
        {
            **{name: image[name] for name in ("image_id", "height", "width")},
            "bag_id": bag_id,
            "proposal_id": number,
            "prompt_kind": question.kind,
            "prompt_id": question.prompt_id,
            "derived": question.derived,
            "mask_index": answer.slot,
            "category_id": question.category_id,
            "box": _box(answer, anchors[bag_id, question.prompt_id], image),
            "area": answer.area,
            "rle": answer.rle["counts"],
            "soft": answer.soft,
            "predicted_iou": answer.predicted_iou,
            "stability": answer.stability,
            "valid": answer.area > 0,
        }
        for bag_id, pairs in bags.items()
        for number, (question, answer) in enumerate(pairs)
    ]


def _box(answer: Answer, anchor: np.ndarray, image: Mapping[str, Any]) -> list[float]:
    """Of the mask; for an empty one the pixel about the anchor, so that every box has an area."""
    if answer.area:
        return [float(value) for value in rle_boxes([answer.rle])[0]]
    x, y = min(int(anchor[0]), image["width"] - 1), min(int(anchor[1]), image["height"] - 1)
    return [x, y, x + 1, y + 1]
