"""One image and its points in, the bags of proposals out, through the stock SamPredictor.

The image is embedded once; prompts go in batches bounded by `prompts_per_batch` (on a CPU larger
batches gain nothing and cost memory; on a GPU they do gain). When a GPU runs out of memory the
batch is halved and the work goes on.
"""

from collections.abc import Sequence

import numpy as np
import torch
from segment_anything import SamPredictor
from segment_anything.modeling import Sam
from segment_anything.utils.amg import calculate_stability_score

from stages.geometry.masks import masks_to_rles, rle_areas
from stages.runtime.program import say
from stages.runtime.randomness import Purpose, rng_of
from stages.segmenters.answers import Answer, without_stray_components
from stages.segmenters.derived import (
    Question,
    box_questions,
    inner_point_questions,
    point_questions,
)
from stages.segmenters.mirrored import mirrored_back, mirrored_image, mirrored_points
from stages.settings.propose import AnyPrompt, Propose

Answered = tuple[Question, list[Answer]]


class Runner:
    """Asks one SAM about one image after the other."""

    def __init__(self, sam: Sam, settings: Propose, *, seed: int):
        self.predictor = SamPredictor(sam)
        self.settings = settings
        self.seed = seed
        self.batch = settings.sam.prompts_per_batch

    def bags(
        self, image: np.ndarray, points: np.ndarray, instance_ids: Sequence[int]
    ) -> list[list[tuple[Question, Answer]]]:
        """Proposals of each instance, in bag order: by prompt source, then by falling SAM score.

        With `mirror` those of the mirrored image follow, in the same order.

        Parameters
        ----------
        image : (height, width, 3) uint8 RGB.
        points : (n, 2) float32 x, y px.
        instance_ids : n ids; random prompts depend on the id alone.
        """
        bags = self._upright(image, points, instance_ids)
        if self.settings.mirror:
            seen = mirrored_points(points, image.shape[1])
            more = self._upright(mirrored_image(image), seen, instance_ids)
            bags = [bag + mirrored_back(other) for bag, other in zip(bags, more, strict=True)]
        return bags

    def _upright(
        self, image: np.ndarray, points: np.ndarray, instance_ids: Sequence[int]
    ) -> list[list[tuple[Question, Answer]]]:
        self._embed(image)
        first: list[list[Answer]] = []
        bags: list[list[tuple[Question, Answer]]] = [[] for _ in instance_ids]
        for prompt in self.settings.prompts:
            questions = self._questions(prompt, first, points, instance_ids, image.shape)
            answered = self._ask(questions, points, single=prompt.masks == "single")
            if not first:
                first = [answers for _, answers in answered]
            _append_sorted(bags, answered)
        return bags

    def _embed(self, image: np.ndarray) -> None:
        dtype = torch.bfloat16 if self.settings.sam.precision == "bfloat16" else torch.float32
        enabled = dtype is not torch.float32
        with torch.autocast(self.predictor.device.type, dtype=torch.bfloat16, enabled=enabled):
            self.predictor.set_image(image)
        self.predictor.features = self.predictor.features.float()

    def _questions(
        self,
        prompt: AnyPrompt,
        first: list[list[Answer]],
        points: np.ndarray,
        instance_ids: Sequence[int],
        shape: tuple[int, ...],
    ) -> list[Question]:
        if prompt.source == "label":
            return point_questions(points)
        if prompt.source == "inner_points":
            rngs = [rng_of(self.seed, Purpose.INNER_POINTS, i) for i in instance_ids]
            return inner_point_questions(first, points, rngs, count=prompt.count)
        return box_questions(first, shape[0], shape[1], count=prompt.count, scale=prompt.scale)

    def _ask(
        self, questions: list[Question], points: np.ndarray, *, single: bool
    ) -> list[Answered]:
        answered: list[Answered] = []
        while len(answered) < len(questions):
            batch = _alike(questions[len(answered) :])[: self.batch]
            try:
                answered += self._ask_batch(batch, points, single=single)
            except torch.cuda.OutOfMemoryError:
                if self.batch == 1:
                    raise
                torch.cuda.empty_cache()
                self.batch = max(1, self.batch // 2)
                say("propose", f"GPU memory is short: {self.batch} prompts at a time from now on.")
        return answered

    @torch.inference_mode()
    def _ask_batch(
        self, questions: list[Question], points: np.ndarray, *, single: bool
    ) -> list[Answered]:
        coords, labels, boxes = self._inputs(questions)
        logits, scores, _ = self.predictor.predict_torch(
            coords, labels, boxes, multimask_output=not single, return_logits=True
        )  # (questions, slots, height, width)
        threshold = self.predictor.model.mask_threshold
        offset = self.settings.sam.stability_offset
        stability = calculate_stability_score(logits, threshold, offset).nan_to_num(0.0)
        masks = (logits > threshold).cpu().numpy()
        return [
            (
                q,
                self._answers(
                    masks[i], scores[i].tolist(), stability[i].tolist(), points[q.instance]
                ),
            )
            for i, q in enumerate(questions)
        ]

    def _inputs(
        self, questions: list[Question]
    ) -> tuple[torch.Tensor | None, torch.Tensor | None, torch.Tensor | None]:
        device, size = self.predictor.device, self.predictor.original_size
        if questions[0].points is None:
            boxes = torch.from_numpy(np.stack([q.box for q in questions if q.box is not None]))
            return None, None, self.predictor.transform.apply_boxes_torch(boxes.to(device), size)
        stacked = np.stack([q.points for q in questions if q.points is not None])
        coords = self.predictor.transform.apply_coords_torch(
            torch.from_numpy(stacked.astype(np.float32)).to(device), size
        )
        return coords, torch.ones(coords.shape[:2], dtype=torch.int, device=device), None

    def _answers(
        self, masks: np.ndarray, scores: list[float], stability: list[float], point: np.ndarray
    ) -> list[Answer]:
        share = self.settings.clean
        cleaned = np.stack([without_stray_components(mask, point, share) for mask in masks])
        rles = masks_to_rles(cleaned)
        areas = rle_areas(rles)
        return [
            Answer(slot, rle, int(areas[slot]), scores[slot], stability[slot])
            for slot, rle in enumerate(rles)
        ]


def _alike(questions: list[Question]) -> list[Question]:
    """The leading questions with as many points as the first: only these form one batch."""
    wanted = _points(questions[0])
    for number, question in enumerate(questions):
        if _points(question) != wanted:
            return questions[:number]
    return questions


def _points(question: Question) -> int:
    return 0 if question.points is None else len(question.points)


def _append_sorted(bags: list[list[tuple[Question, Answer]]], answered: list[Answered]) -> None:
    """Add one source's answers to the bags, the highest SAM score first."""
    fresh: list[list[tuple[Question, Answer]]] = [[] for _ in bags]
    for question, answers in answered:
        fresh[question.instance] += [(question, answer) for answer in answers]
    for bag, pairs in zip(bags, fresh, strict=True):
        bag += sorted(pairs, key=lambda pair: (-pair[1].sam_score, pair[0].index, pair[1].slot))
