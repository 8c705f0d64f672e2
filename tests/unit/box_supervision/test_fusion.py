"""Fused masks against tests/golden/boxes.json, a slow loop and by hand."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.box_supervision.fusion import decided, dynamic_threshold, fused, loss_weight

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "boxes.json").read_text())
CASE = GOLDEN["pseudo_mask_fusion"]


def rows(lines: list[str]) -> np.ndarray:
    return np.array([[digit == "1" for digit in line] for line in lines])


BOX = rows(CASE["box_mask_rows"])


def golden_maps(case: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """M_prob and M_I; in float32, as the authors', 0.4 + 0.3 is above 0.7."""
    semantic, instance = (np.array(case[name], dtype=np.float32) for name in ("M_S", "M_I"))
    chances = fused(semantic, instance, alpha=CASE["alpha"])
    np.testing.assert_allclose(chances, case["fused"], atol=1e-6)
    return chances, instance


def test_an_empty_box_decides_nothing() -> None:
    nothing = np.zeros((3, 4), dtype=bool)
    chances, instance = golden_maps(CASE)
    assert dynamic_threshold(chances, instance, nothing) == 0.7
    found = decided(chances, nothing, high=0.7)
    assert not found.foreground.any()
    assert not found.undecided.any()


def test_golden_fixed() -> None:
    chances, _ = golden_maps(CASE)
    wanted = CASE["fixed_high_0.7_low_0.4"]
    found = decided(chances, BOX, high=0.7, low=0.4)
    assert (found.foreground == rows(wanted["foreground_rows"])).all()
    assert (loss_weight(found, BOX) == rows(wanted["loss_weight_rows"])).all()


@pytest.mark.parametrize("name", ["released_dynamic", "released_dynamic_case_2"])
def test_golden_dynamic(name: str) -> None:
    case = CASE[name]
    chances, instance = golden_maps({**CASE, **case})
    assert (instance[BOX] > 0.7).sum() == case["n_pixels_MI_above_0.7_in_box"]
    free = dynamic_threshold(chances, instance, BOX, limits=(0.0, 1.0))
    assert free == pytest.approx(case["value_at_rank_n_zero_based"], abs=1e-6)
    high = dynamic_threshold(chances, instance, BOX)
    assert high == pytest.approx(case["threshold_after_clamp_0.7_0.8"], abs=1e-6)
    found = decided(chances, BOX, high=high)
    assert (found.foreground == rows(case["foreground_rows"])).all()
    if "loss_weight_rows" in case:
        assert (loss_weight(found, BOX) == rows(case["loss_weight_rows"])).all()


@pytest.mark.parametrize("high", [0.5, 0.7, 0.8])
def test_masks_are_those_of_a_loop(high: float) -> None:
    rng = np.random.default_rng(0)
    semantic, instance = rng.random((2, 9, 11))
    inside = rng.random((9, 11)) > 0.3
    chances = fused(semantic, instance, alpha=0.3)
    found = decided(chances, inside, high=high, low=0.4)
    weight = loss_weight(found, inside)
    for at in np.ndindex(9, 11):
        value = 0.7 * semantic[at] + 0.3 * instance[at]
        assert found.foreground[at] == (inside[at] and value > high)
        assert found.undecided[at] == (inside[at] and 0.4 <= value <= high)
        assert weight[at] == (inside[at] and (value > high or value < 0.4))


def test_alpha_1_is_the_teacher_alone_and_0_the_class() -> None:
    semantic, instance = np.random.default_rng(1).random((2, 5, 6))
    assert (fused(semantic, instance, alpha=1.0) == instance).all()
    assert (fused(semantic, instance, alpha=0.0) == semantic).all()


def test_equal_thresholds_leave_what_equals_them_undecided() -> None:
    chances = np.array([[0.4, 0.5, 0.6]])
    found = decided(chances, np.ones((1, 3), dtype=bool), high=0.5, low=0.5)
    assert found.foreground.tolist() == [[False, False, True]]
    assert found.undecided.tolist() == [[False, True, False]]


@pytest.mark.parametrize(
    ("instance", "wanted"),
    [([0.0] * 4, 0.8), ([0.9, 0, 0, 0], 0.8), ([0.9, 0.9, 0, 0], 0.75), ([0.9] * 4, 0.7)],
    ids=["none sure", "one", "two", "all"],
)
def test_a_larger_mask_has_a_lower_threshold(instance: list[float], wanted: float) -> None:
    chances = np.array([[0.95, 0.85, 0.75, 0.1]])
    whole = np.ones((1, 4), dtype=bool)
    assert dynamic_threshold(chances, np.array([instance]), whole) == pytest.approx(wanted)
