"""Whose objects SIM's teacher pastes: a window of the epoch's order, by chance, never its own."""

import math
from typing import Any

import numpy as np
import pytest

from stages.geometry.masks import masks_to_rles
from stages.learning.sim_donors import Donor, donor_of, nothing_to_paste, rows_to_paste, window_of
from stages.learning.sim_index import Objects, TeacherIndex
from stages.learning.trainer import images_of_step
from stages.settings.segmenters.sim import TeacherTraining
from tests.teacher_set import settings_of

SQUARE = np.pad(np.ones((1, 4, 4), dtype=np.uint8), ((0, 0), (0, 4), (0, 4)))


def training_of(**paste: Any) -> TeacherTraining:
    paste = {"enabled": True, "probability": 1.0, **paste}
    return settings_of(training={"batch_images": 2, "paste": paste}).training


def row(score: float = 0.5, weight: float = 1.0, mask: np.ndarray = SQUARE) -> dict[str, Any]:
    return {"rle": masks_to_rles(mask)[0]["counts"], "score": score, "mask_weight": weight}


def index_of(*images: list[dict[str, Any] | None]) -> TeacherIndex:
    """Images of 8 x 8 px with such rows of the round before, numbered from 1."""
    objects = {
        number: Objects(np.array([[0.0, 0, 4, 4]] * len(rows)), np.zeros(len(rows), int), [*rows])
        for number, rows in enumerate(images, start=1)
    }
    size = {"height": 8, "width": 8}
    return TeacherIndex({number: size for number in objects}, objects, [1])


def donors(index: TeacherIndex, image_id: int = 1, **paste: Any) -> list[Donor | None]:
    """What is pasted into an image in 40 epochs."""
    training = training_of(**paste)
    per_epoch = math.ceil(len(index.image_ids) / training.batch_images)
    return [donor_of(index, epoch * per_epoch, image_id, training, seed=0) for epoch in range(40)]


@pytest.mark.parametrize("step", [0, 1, 2, 3, 7])
@pytest.mark.parametrize("bank", [1, 3, 5, 6, 7, 100])
def test_the_bank_is_what_stands_before_in_the_order_of_the_epoch(step: int, bank: int) -> None:
    """Seven images in four steps, the last of which shows one."""
    ids, training, first = range(11, 18), training_of(), step - step % 4
    order = [
        one for s in range(first, first + 4) for one in images_of_step(ids, s, training, seed=5)
    ]
    start = 2 * (step % 4)
    turned = order[start:] + order[:start]  # the step's own images first
    found = window_of(ids, step, training, bank=bank, seed=5)
    if bank < 7:
        assert found == turned[::-1][:bank]
    else:
        assert sorted(found) == sorted(order)


def test_each_other_image_is_drawn_alike_and_never_the_image_itself() -> None:
    index = index_of(*[[row()]] * 5)
    found = [donor.image_id for donor in donors(index, 3) if donor]
    assert len(found) == 40
    counts = {number: found.count(number) for number in range(1, 6)}
    assert counts[3] == 0
    assert all(counts[number] >= 4 for number in (1, 2, 4, 5))


def test_probability_is_the_share_of_images_that_are_pasted_into() -> None:
    index = index_of([row()], [row()])
    assert donors(index, probability=0.0) == [None] * 40
    some = [donor is not None for donor in donors(index)]
    assert all(some)
    half = [donor is not None for donor in donors(index, probability=0.5)]
    assert 10 < sum(half) < 30


@pytest.mark.parametrize(
    "others",
    [
        [],
        [[None]],
        [[row(0.0)]],
        [[row(weight=0.0)]],
        [[row(mask=SQUARE * 0)]],
        [[row(0.0), row(weight=0.0), None], [None]],
    ],
    ids=["alone", "no former", "score 0", "weight 0", "no pixel", "none of several"],
)
def test_without_an_object_to_paste_nothing_is(others: list[list[dict[str, Any] | None]]) -> None:
    assert donors(index_of([row()], *others), 1) == [None] * 40


def test_the_surer_an_object_the_more_often_it_is_pasted() -> None:
    index = index_of([row()], [row(0.4), None, row(0.8), row(0.0)])
    found = [donor.rows.tolist() for donor in donors(index) if donor]
    assert {tuple(rows) for rows in found} == {(0,), (2,)}
    assert found.count([2]) > 28  # of 40, at a chance of 8/9
    alike = [donor.rows.tolist() for donor in donors(index, power=0.0) if donor]
    assert 4 <= alike.count([0])
    assert {len(rows) for rows in alike} == {1}


@pytest.mark.parametrize(("share", "most", "number"), [(0.25, 3, 2), (1.0, 3, 3), (1.0, 9, 8)])
def test_a_share_of_the_donors_objects_is_pasted_each_once(
    share: float, most: int, number: int
) -> None:
    index = index_of([row()], [row()] * 8)
    for donor in donors(index, share=share, most=most):
        assert donor
        assert len(set(donor.rows.tolist())) == number


def test_draws_depend_on_seed_epoch_and_image_alone() -> None:
    index, training = index_of(*[[row()] * 4] * 9), training_of(probability=0.6)

    def at(step: int, image_id: int, seed: int = 0) -> list[Any]:
        donor = donor_of(index, step, image_id, training, seed=seed)
        return [donor.image_id, donor.rows.tolist(), donor.flip] if donor else []

    whole = [at(step, image_id) for step in range(10) for image_id in range(1, 10)]
    assert [at(9, 9), at(0, 1)] == [whole[-1], whole[0]]
    assert [at(s, i, 1) for s in range(10) for i in range(1, 10)] != whole
    assert [at(0, i) for i in range(1, 10)] != [at(5, i) for i in range(1, 10)]


def test_donors_are_mirrored_as_in_their_epoch() -> None:
    index, training = index_of(*[[row()]] * 6), training_of()
    for step in range(12):
        donor = donor_of(index, step, 2, training, seed=0)
        first = step - step % 3
        steps = [images_of_step(range(1, 7), s, training, seed=0) for s in range(first, first + 3)]
        assert donor
        assert dict(one for shown in steps for one in shown)[donor.image_id] == donor.flip


def test_rows_to_paste_are_places_among_all_objects() -> None:
    index = index_of([None, row(), row(0.0), row(weight=0.0), row(0.1)], [None])
    paste = training_of().paste
    assert rows_to_paste(index, 1, paste).tolist() == [1, 4]
    assert rows_to_paste(index, 2, paste).tolist() == []


def test_it_is_said_why_nothing_is_pasted() -> None:
    paste, off = training_of().paste, training_of(enabled=False).paste
    assert nothing_to_paste(index_of([row()]), paste) == ""
    assert "no trusted masks of a round before" in nothing_to_paste(index_of([None]), paste)
    assert "have the score 0" in nothing_to_paste(index_of([row(0.0)]), paste)
    assert nothing_to_paste(index_of([None]), off) == ""
