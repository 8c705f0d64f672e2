"""Keys of refiner `sim`: the paper's by default, marked by who reads them, thresholds in order."""

from typing import Any

import pytest

from stages.settings.readers import for_fit
from stages.settings.refine import Refine
from stages.settings.section import from_values, to_values


def block(**values: Any) -> Any:
    return from_values(Refine, {"method": "sim", "sim": values}, "refine").sim


def test_nothing_given_is_the_paper() -> None:
    keys = block()
    assert (keys.prototypes, keys.tau, keys.gamma, keys.alpha) == (10, 0.1, 0.999, 0.5)
    assert (keys.sinkhorn.epsilon, keys.sinkhorn.iterations) == (0.05, 3)
    assert (keys.thresholds.mode, keys.thresholds.low) == ("dynamic", 0.4)
    assert (keys.thresholds.high_min, keys.thresholds.high_max, keys.sure) == (0.7, 0.8, 0.7)
    assert (keys.update, keys.min_score) == ("ema", 0)


def test_a_fitting_depends_on_what_it_reads_alone() -> None:
    section = to_values(from_values(Refine, {"method": "sim"}, "refine"))
    assert set(for_fit("refine", section)["sim"]) == {
        *("prototypes", "sure", "sinkhorn", "start", "update", "gamma", "passes"),
    }


@pytest.mark.parametrize(
    ("thresholds", "sentence"),
    [
        ({"low": 0.75}, r"refine\.sim\.thresholds\.low is 0\.75, above high_min, 0\.7;.*lower it"),
        ({"mode": "fixed", "high": 0.3}, r"thresholds\.low is 0\.4, above high, 0\.3"),
        ({"high_min": 0.9}, r"thresholds\.high_min is 0\.9, above high_max, 0\.8; lower it"),
        ({"high": 1.5}, r"thresholds\.high"),
    ],
    ids=["low", "fixed", "limits", "beyond 1"],
)
def test_thresholds_that_cross_are_refused(thresholds: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        block(thresholds=thresholds)


@pytest.mark.parametrize(
    "thresholds",
    [{"low": 0.7}, {"mode": "fixed", "high": 0.5, "low": 0.5}, {"high_min": 0.8}],
    ids=["equal", "one threshold", "one limit"],
)
def test_thresholds_may_be_equal(thresholds: dict[str, Any]) -> None:
    assert block(thresholds=thresholds).thresholds


@pytest.mark.parametrize(
    ("key", "value"), [("tau", 0), ("alpha", 1.1), ("gamma", 1), ("prototypes", 0), ("passes", -1)]
)
def test_values_out_of_range_are_refused(key: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"refine\.sim\.{key}"):
        block(**{key: value})
