"""A second bag from the mirrored image."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from stages.geometry.masks import rles_to_masks
from stages.segmenters.derived import Question, own_questions
from stages.segmenters.mirrored import (
    mirrored_back,
    mirrored_image,
    mirrored_points,
    mirrored_question,
)
from stages.segmenters.proposing import Proposer

POINTS = np.array([[10.0, 10.0], [0.0, 20.5], [63.9, 47.9]], dtype=np.float32)
PROMPTS = [{"source": "label"}, {"source": "boxes", "count": 1, "masks": "single"}]


def test_points_stay_inside_and_come_back() -> None:
    there = mirrored_points(POINTS, 64)
    assert ((there[:, 0] >= 0) & (there[:, 0] < 64)).all()
    np.testing.assert_allclose(there[:, 1], POINTS[:, 1])
    np.testing.assert_allclose(mirrored_points(there, 64), POINTS, atol=2e-3)
    assert mirrored_points(np.zeros((0, 2), np.float32), 64).shape == (0, 2)


def test_a_question_keeps_all_but_its_place(rows: Any) -> None:
    table = rows.table(rows.box(5, (8, 4, 40, 36)), rows.point(7, (0.0, 3.0)))
    point, box = own_questions(table)
    there = mirrored_question(box, 64)
    assert there.asked.box is not None
    assert there.asked.box.tolist() == [24, 4, 56, 36]
    assert there.anchor.tolist() == [40, 20]
    assert replace(there, asked=box.asked, anchor=box.anchor) == box
    back = mirrored_question(mirrored_question(point, 64), 64)
    np.testing.assert_allclose(back.asked.points, point.asked.points, atol=2e-3)
    assert back.asked.signs is point.asked.signs


def test_an_empty_bag_stays_empty() -> None:
    assert mirrored_back([]) == []


def test_the_second_half_of_a_bag_is_the_answer_to_the_mirrored_image(
    proposer: Callable[..., Proposer], picture: np.ndarray, pointed: list[Question], rows: Any
) -> None:
    questions = [*pointed, *own_questions(rows.table(rows.box(20, (8, 4, 40, 36))))]
    there = [mirrored_question(question, 64) for question in questions]
    own = proposer(prompts=PROMPTS).bags(picture, questions)
    other = proposer(prompts=PROMPTS).bags(mirrored_image(picture), there)
    both = proposer(prompts=PROMPTS, mirror=True).bags(picture, questions)
    assert list(both) == list(own)
    for bag_id, bag in both.items():
        first, second = own[bag_id], other[bag_id]
        assert [a for _, a in bag[: len(first)]] == [a for _, a in first]
        rest = bag[len(first) :]
        assert [q.kind for q, _ in rest] == [f"mirrored_{q.kind}" for q, _ in second]
        for (_, seen), (_, wanted) in zip(rest, second, strict=True):
            mask = rles_to_masks([wanted.rle])[0]
            np.testing.assert_array_equal(rles_to_masks([seen.rle])[0], mask[:, ::-1])
            assert (seen.area, seen.predicted_iou) == (wanted.area, wanted.predicted_iou)
