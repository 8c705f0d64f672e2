"""An additive model against sums written out by hand."""

import numpy as np
import pytest

from stages.grading.additive import Additive, Curve, hats

KNOTS = np.array([0.0, 1.0, 3.0])
CURVE = Curve(KNOTS, np.array([2.0, -1.0, 1.0]), missing=0.25)


@pytest.mark.parametrize(
    ("number", "wanted"),
    [(-5, 2.0), (0, 2.0), (0.5, 0.5), (1, -1.0), (2, 0.0), (3, 1.0), (9, 1.0), (np.nan, 0.25)],
)
def test_a_curve_is_linear_between_its_knots_and_flat_beyond(number: float, wanted: float) -> None:
    assert CURVE.at(np.array([number])).tolist() == [wanted]


def test_nothing_has_no_parts() -> None:
    model = Additive({"a": CURVE}, 0.5)
    assert model.parts(np.zeros((0, 2)), ["a", "b"]).shape == (0, 2)
    assert model.probabilities(np.zeros((0, 2)), ["a", "b"]).tolist() == []


def test_a_probability_is_the_logistic_function_of_the_sum() -> None:
    model = Additive({"a": CURVE, "c": Curve(np.zeros(1), np.array([0.75]), -0.5)}, 0.5)
    numbers = np.array([[1.0, 7.0, np.nan], [np.nan, 7.0, 4.0]])
    assert model.parts(numbers, ["a", "b", "c"]).tolist() == [[-1, 0, -0.5], [0.25, 0, 0.75]]
    wanted = [1 / (1 + np.exp(1.0)), 1 / (1 + np.exp(-1.5))]
    assert model.probabilities(numbers, ["a", "b", "c"]) == pytest.approx(wanted)


def test_hats_give_back_the_curve() -> None:
    numbers = np.array([-1.0, 0.25, 1.0, 2.5, 4.0, np.nan])
    found = hats(numbers, KNOTS)
    assert found.sum(axis=1).tolist() == [1.0] * 6
    values = np.array([*CURVE.values, CURVE.missing])
    assert found @ values == pytest.approx(CURVE.at(numbers))
