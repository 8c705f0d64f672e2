"""The drop-rate curve of BoxCaseg's Table 8, against the golden agreements and by hand."""

import pytest

from stages.metrics.drop_rates import CONVENTIONS, THRESHOLDS, DropRates
from tests.pseudo_labels import GOLDEN

CASE = GOLDEN["proxy_box_agreement"]


def test_without_given_boxes_there_is_no_curve() -> None:
    assert DropRates().rates() is None


def test_the_golden_masks_are_dropped_at_each_threshold() -> None:
    drops = DropRates()
    pairs = zip(CASE["agreement_half_open"], CASE["agreement_authors"], strict=True)
    for half_open, authors in pairs:
        drops.add({"half_open": half_open, "authors": authors})
    rates = drops.rates()
    assert rates is not None
    assert (rates["n"], tuple(rates["thresholds"])) == (9, THRESHOLDS)
    for name in CONVENTIONS:
        kept = [CASE[f"keep_{name}"][str(limit)] for limit in THRESHOLDS]
        assert rates[name] == pytest.approx([1 - sum(row) / 9 for row in kept])


def test_an_agreement_at_the_threshold_is_dropped() -> None:
    drops = DropRates()
    drops.add({"half_open": 0.85, "authors": 0.95})
    rates = drops.rates()
    assert rates is not None
    assert (rates["half_open"], rates["authors"]) == ([0, 1, 1, 1], [0, 0, 0, 1])
