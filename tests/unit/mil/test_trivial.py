"""Trivial choices: what is taken, what is left out, and who wins a tie."""

import numpy as np

from stages.mil.trivial import trivial_choices


def choices(
    area: list[float],
    score: list[float] | None = None,
    slot: list[int] | None = None,
    *,
    points: int = 0,
) -> dict[str, int]:
    size = len(area)
    return trivial_choices(
        area=np.array(area),
        slot=np.array(slot or [0] * size, dtype=np.int64),
        is_own=np.arange(size) < points,
        predicted_iou=np.array(score or [0.5] * size),
    )


def test_an_empty_bag_offers_no_choice() -> None:
    assert choices([]) == {}


def test_a_bag_of_one_offers_it_everywhere() -> None:
    wanted = dict.fromkeys(("largest", "median_area", "fixed_slot_1", "sam_top1"), 0)
    assert choices([7], points=1) == wanted


def test_each_choice_of_a_wide_bag() -> None:
    chosen = choices([5, 9, 2, 50, 1], [0.2, 0.7, 0.7, 0.99, 0.9], [0, 1, 2, 0, 0], points=3)
    wanted = {"fixed_slot_1": 0, "fixed_slot_2": 1, "fixed_slot_3": 2}
    assert chosen == {"largest": 3, "median_area": 0, "sam_top1": 1, **wanted}  # ties: the first


def test_sam_top1_takes_no_empty_mask_while_another_has_pixels() -> None:
    assert choices([0, 4, 9], [0.9, 0.2, 0.8], points=2)["sam_top1"] == 1
    assert choices([0, 0, 3, 5], [0.9, 0.2, 0.1, 0.3], points=2)["sam_top1"] == 3
    assert choices([0, 0], [0.2, 0.9], points=2)["sam_top1"] == 1  # there is no other


def test_a_bag_without_point_prompt_has_no_slots() -> None:
    assert choices([1, 1]) == {"largest": 0, "median_area": 1}
