"""Trivial choices: what is taken, what is left out, and that weights sum to one."""

import numpy as np
import pytest

from stages.metrics.choices import Bag, choice_weights, trivial_choices
from stages.metrics.mask_quality import MASK_IOU, STATISTICS


def bag(
    area: list[float],
    score: list[float] | None = None,
    slot: list[int] | None = None,
    points: int = 0,
) -> Bag:
    size = len(area)
    return Bag(
        rles=[],
        boxes=np.zeros((size, 4)),
        area=np.array(area),
        proposal_id=np.arange(size) * 10,
        slot=np.array(slot or [0] * size, dtype=np.int64),
        is_point=np.arange(size) < points,
        sam_score=np.array(score or [0.5] * size),
    )


def test_an_empty_bag_offers_no_choice() -> None:
    assert trivial_choices(bag([])) == {}


def test_each_choice_of_a_wide_bag() -> None:
    chosen = trivial_choices(
        bag([5, 9, 2, 50, 1], [0.2, 0.7, 0.7, 0.99, 0.9], [0, 1, 2, 0, 0], points=3)
    )
    wanted = {"fixed_slot_1": 0, "fixed_slot_2": 1, "fixed_slot_3": 2}
    assert chosen == {"largest": 3, "median_area": 0, "sam_top1": 1, **wanted}  # ties: the first


def test_a_bag_without_point_prompt_has_no_slots() -> None:
    assert trivial_choices(bag([1, 1])) == {"largest": 0, "median_area": 1}


@pytest.mark.parametrize("size", [1, 2, 7])
def test_weights_sum_to_one_and_random_is_the_mean(size: int) -> None:
    values = np.random.default_rng(size).random((size, len(STATISTICS)))
    masks = bag(list(range(size)))
    weights = choice_weights(masks, values, {"psm": 10 * (size // 2)})
    assert set(weights) == {"random", "largest", "median_area", "psm", "best_in_bag"}
    assert all(weight.sum() == pytest.approx(1) for weight in weights.values())
    np.testing.assert_allclose(weights["random"] @ values, values.mean(axis=0))
    assert weights["largest"][size - 1] == 1
    assert weights["psm"][size // 2] == 1
    assert weights["best_in_bag"] @ values[:, MASK_IOU] == values[:, MASK_IOU].max()
