"""Calibration and ranking against loops written out, and numbers counted by hand."""

import numpy as np
import pytest
from scipy.stats import rankdata as scipy_ranks
from scipy.stats import spearmanr

from stages.metrics.trust import (
    calibration_error,
    rank_correlation,
    rankdata,
    separation,
    trust_of,
)


def test_without_labels_nothing_is_told() -> None:
    nothing = np.zeros(0)
    assert trust_of(nothing, nothing, good=0.5) == {
        **{"n": 0, "iou_error": None, "good_error": None, "auroc": None, "spearman": None}
    }


def test_the_calibration_error_is_counted_by_bins() -> None:
    """Bins of .1: .31 and .39 foretell .7 for an outcome of 1; 1.0 is in the last bin."""
    foretold, outcomes = np.array([0.31, 0.39, 0.75, 1.0]), np.array([0.0, 1.0, 0.5, 1.0])
    wanted = (abs(0.7 - 1.0) + 0.25 + 0.0) / 4
    assert calibration_error(foretold, outcomes) == pytest.approx(wanted)


def test_separation_counts_pairs() -> None:
    rng = np.random.default_rng(0)
    foretold, good = rng.integers(0, 5, 60) / 5, rng.random(60) < 0.4
    pairs = [
        (first > second) + 0.5 * (first == second)
        for first in foretold[good]
        for second in foretold[~good]
    ]
    assert separation(foretold, good) == pytest.approx(np.mean(pairs))


@pytest.mark.parametrize("good", [True, False])
def test_labels_of_one_kind_cannot_be_told_apart(*, good: bool) -> None:
    assert separation(np.arange(3.0), np.full(3, good)) is None


def test_rank_correlation_is_spearmans() -> None:
    rng = np.random.default_rng(1)
    first = rng.integers(0, 6, 50).astype(float)
    second = first + rng.normal(size=50) * 3
    assert rank_correlation(first, second) == pytest.approx(spearmanr(first, second)[0])
    assert rank_correlation(np.ones(3), np.arange(3.0)) is None


def test_missing_numbers_are_left_out_and_what_is_no_share_is_cut() -> None:
    ious = np.array([0.9, 0.2, 0.7])
    found = trust_of(np.array([0.9, np.nan, 0.7]), ious, good=0.5)
    assert (found["n"], found["iou_error"], found["auroc"]) == (2, pytest.approx(0), None)
    above = trust_of(np.array([1.1, 0.2, 0.7]), ious, good=0.5)
    assert above["iou_error"] == pytest.approx(0.1 / 3)
    assert (above["auroc"], above["spearman"]) == (1.0, pytest.approx(1.0))


def test_ranks_are_those_of_scipy() -> None:
    values = np.random.default_rng(0).integers(0, 9, 200) / 8
    assert rankdata(values).tolist() == scipy_ranks(values).tolist()
