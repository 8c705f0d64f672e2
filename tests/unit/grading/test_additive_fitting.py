"""Fitting: what decides is found, what does not is flat, and probabilities hold on average."""

import numpy as np
import pytest

from stages.grading.additive_fitting import KNOTS, fitted, knots_of
from stages.metrics.trust import calibration_error

NAMES = ("telling", "idle", "sometimes")


def drawn(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Evidence, and outcomes whose logit is 4 times the first less 2; one is missing by halves."""
    rng = np.random.default_rng(seed)
    numbers = rng.random((count, 3))
    chance = 1 / (1 + np.exp(-(4 * numbers[:, 0] - 2)))
    numbers[rng.random(count) < 0.5, 2] = np.nan
    return numbers, (rng.random(count) < chance).astype(float)


def test_knots_are_quantiles_of_what_is_there() -> None:
    assert knots_of(np.full(3, np.nan)).tolist() == [0.0]
    assert knots_of(np.array([2.0, 2.0, np.nan])).tolist() == [2.0]
    assert knots_of(np.arange(101.0))[[0, -1]].tolist() == [0.0, 100.0]
    assert len(knots_of(np.arange(101.0))) == KNOTS


def test_what_decides_is_found_and_the_rest_is_flat() -> None:
    numbers, outcomes = drawn(2000)
    model = fitted(numbers, outcomes, NAMES)
    spans = {name: np.ptp(curve.values) for name, curve in model.curves.items()}
    assert spans["telling"] > 2.5  # of 4
    assert spans["idle"] < 0.5
    assert spans["sometimes"] < 0.5
    fresh, goal = drawn(2000, seed=1)
    error = calibration_error(model.probabilities(fresh, NAMES), goal)
    assert error is not None
    assert error < 0.05


def test_curves_are_centred_so_that_a_part_below_0_speaks_against() -> None:
    numbers, outcomes = drawn(500)
    model = fitted(numbers, outcomes, NAMES)
    assert model.parts(numbers, NAMES).mean(axis=0) == pytest.approx(np.zeros(3), abs=1e-5)


def test_shares_are_outcomes_as_well() -> None:
    numbers, _ = drawn(500)
    shares = 0.2 + 0.6 * numbers[:, 0]
    found = fitted(numbers, shares, NAMES).probabilities(numbers, NAMES)
    assert np.abs(found - shares).mean() < 0.03


def test_the_same_rows_give_the_same_model() -> None:
    numbers, outcomes = drawn(300)
    first, second = (fitted(numbers, outcomes, NAMES) for _ in range(2))
    assert first.constant == second.constant
    assert all(np.array_equal(first.curves[n].values, second.curves[n].values) for n in NAMES)


def test_what_was_hardly_ever_missing_says_nothing_where_it_is() -> None:
    numbers, outcomes = drawn(500)
    numbers[:, 1] = np.where(np.arange(500) == 0, np.nan, numbers[:, 1])
    assert fitted(numbers, outcomes, NAMES).curves["idle"].missing == 0.0
