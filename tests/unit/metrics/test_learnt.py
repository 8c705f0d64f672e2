"""Signs that a network has learned nothing, by bags written out by hand."""

import numpy as np
import pytest

from stages.metrics.learnt import Learnt


def of(*bags: tuple[float, list[float]], classes: int = 10) -> Learnt:
    found = Learnt(classes)
    for score, shares in bags:
        found.add(score, np.array(shares))
    return found


def test_no_bags_are_no_sign() -> None:
    found = of()
    assert not found.is_at_chance
    assert not found.is_flat


@pytest.mark.parametrize(("score", "chance"), [(0.1, True), (0.14, True), (0.16, False)])
def test_bag_scores_near_one_of_the_classes_are_chance(score: float, *, chance: bool) -> None:
    assert of((score, [0.5, 0.5]), (score, [0.5, 0.5])).is_at_chance is chance


def test_one_class_cannot_be_guessed() -> None:
    assert not of((1.0, [0.5, 0.5]), classes=1).is_at_chance


def test_even_shares_prefer_nothing() -> None:
    assert of((0.9, [0.25] * 4), (0.9, [0.26, 0.25, 0.25, 0.24])).is_flat
    found = of((0.9, [0.7, 0.1, 0.1, 0.1]), (0.9, [0.25] * 4))
    assert found.mean_peak == pytest.approx((2.8 + 1.0) / 2)
    assert not found.is_flat


def test_a_bag_of_one_and_one_without_shares_say_nothing_of_them() -> None:
    found = of((0.9, [1.0]), (0.9, [0.0, 0.0]))
    assert (found.bags, found.several) == (2, 0)
    assert not found.is_flat
