"""Means and sample standard deviations by hand; None is left out; differences within a seed."""

from typing import Any

import pytest

from stages.metrics.spread import least_told, paired, summary


@pytest.mark.parametrize(
    ("values", "mean", "sd"),
    [
        ([], None, None),
        ([None], None, None),
        ([0.5], 0.5, None),
        ([0.5, None], 0.5, None),
        ([1.0, 2.0, 3.0], 2.0, 1.0),  # squares 1 + 0 + 1 over 3 - 1
        ([1.0, None, 3.0], 2.0, 2**0.5),
    ],
)
def test_mean_and_sample_sd(values: list[Any], mean: float | None, sd: float | None) -> None:
    assert summary(values) == {
        "per_seed": values,
        "mean": pytest.approx(mean),
        "sd": pytest.approx(sd),
    }


def test_differences_are_taken_within_a_seed_and_their_sd_is_their_own() -> None:
    seen = paired([0.5, 0.9, 0.75], [0.25, 0.5, 0.5])  # differences 0.25, 0.4, 0.25
    assert seen["per_seed"] == pytest.approx([0.25, 0.4, 0.25])
    assert seen["mean"] == pytest.approx(0.3)
    assert seen["sd"] == pytest.approx((0.015 / 2) ** 0.5)  # 0.05^2 + 0.1^2 + 0.05^2 = 0.015
    assert seen["min"] == pytest.approx(0.25)
    assert (seen["raised"], seen["seeds"]) == (3, 3)
    assert seen["beyond_3_sd"] is True  # 0.3 > 3 * 0.087


@pytest.mark.parametrize(
    ("values", "base", "raised", "seeds", "beyond"),
    [
        ([], [], 0, 0, None),
        ([0.5], [0.25], 1, 1, None),
        ([None, 0.5], [0.25, None], 0, 0, None),
        ([0.5, 0.5], [0.5, 0.5], 0, 2, False),  # no gain is none, however steady
        ([0.25, 0.25], [0.5, 0.5], 0, 2, False),
        ([0.5, 1.0], [0.25, 0.25], 2, 2, False),
    ],
)
def test_gains_are_counted_where_there_are_two_values(
    values: list[Any], base: list[Any], raised: int, seeds: int, beyond: bool | None
) -> None:
    seen = paired(values, base)
    assert (seen["raised"], seen["seeds"], seen["beyond_3_sd"]) == (raised, seeds, beyond)


def test_a_difference_is_told_apart_where_it_is_outside_its_confidence_interval() -> None:
    steady = paired([0.5, 0.9, 0.75], [0.25, 0.5, 0.5])  # 0.25, 0.4, 0.25
    assert steady["least"] == pytest.approx(
        4.302653 * (0.0075 / 3) ** 0.5
    )  # t of 2 degrees, 97.5 %
    assert steady["told"] is True  # 0.3 > 0.215
    loud = paired([0.5, 0.9, 0.25], [0.25, 0.5, 0.5])  # 0.25, 0.4, -0.25
    assert loud["told"] is False


def test_more_pairs_tell_smaller_differences_apart() -> None:
    seen = [least_told(1.0, pairs) for pairs in (2, 3, 5, 10)]
    assert seen == pytest.approx([8.985, 2.484, 1.242, 0.715], abs=1e-3)
    assert least_told(0.0, 2) == 0


@pytest.mark.parametrize(("sd", "pairs"), [(None, 3), (1.0, 1), (None, 0)])
def test_one_pair_tells_nothing(sd: float | None, pairs: int) -> None:
    assert least_told(sd, pairs) is None
