"""Histogram and reliability against counts made by hand."""

import numpy as np
import pytest

from stages.metrics.calibration import Calibration


def summary_of(*pairs: tuple[float, float]) -> tuple[dict, dict]:  # type: ignore[type-arg]
    calibration = Calibration()
    for score, iou in pairs:
        calibration.add(score, iou)
    made = calibration.summary()
    return made["iou_histogram"], made["reliability"]


def test_nothing_collected_is_counted_as_nothing() -> None:
    histogram, reliability = summary_of()
    assert histogram["n"] == [0] * 20
    assert reliability["n"] == [0] * 10
    assert reliability["mean_score"] == [None] * 10
    assert reliability["expected_calibration_error"] is None


@pytest.mark.parametrize(
    ("iou", "place"), [(0.0, 0), (0.0499, 0), (0.05, 1), (0.35, 7), (0.55, 11), (0.75, 15), (1, 19)]
)
def test_a_bin_holds_its_lower_edge_and_the_last_one_1(iou: float, place: int) -> None:
    histogram, _ = summary_of((0.5, iou))
    assert histogram["n"][place] == 1
    assert sum(histogram["n"]) == 1
    assert (histogram["edges"][0], histogram["edges"][-1]) == (0, 1)


def test_bins_and_errors_are_those_counted_by_hand() -> None:
    """Bin 0.2: scores 0.2 and 0.25, IoU 0.4 and 0.8; bin 0.9: scores 0.9 and 1, IoU 1 and 0.5."""
    _, seen = summary_of((0.2, 0.4), (0.25, 0.8), (0.9, 1.0), (1.0, 0.5))
    assert [k for k, n in enumerate(seen["n"]) if n] == [2, 9]
    assert (seen["n"][2], seen["n"][9]) == (2, 2)
    assert seen["mean_score"][2] == pytest.approx(0.225)
    assert seen["mask_iou"][2] == pytest.approx(0.6)
    assert seen["mask_iou_50"][2] == pytest.approx(0.5)
    assert (seen["mask_iou"][9], seen["mask_iou_50"][9]) == (pytest.approx(0.75), 1)
    errors = seen["expected_calibration_error"]
    assert errors["mask_iou"] == pytest.approx((2 * (0.6 - 0.225) + 2 * (0.95 - 0.75)) / 4)
    assert errors["mask_iou_50"] == pytest.approx((2 * (0.5 - 0.225) + 2 * (1 - 0.95)) / 4)


def test_scores_that_foretell_the_iou_have_no_error() -> None:
    scores = np.random.default_rng(0).random(200)
    _, seen = summary_of(*((score, score) for score in scores))
    assert seen["expected_calibration_error"]["mask_iou"] == pytest.approx(0, abs=1e-12)
    assert sum(seen["n"]) == 200
