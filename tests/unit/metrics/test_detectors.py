"""Detectors side by side: what they retain of the one on ground truth, and what is refused."""

from typing import Any

import pytest

from stages.metrics.detectors import check_detectors, detectors
from tests.measured import measured


def run(*values: float | None) -> list[dict[str, Any]]:
    return [measured({}, detector=value) for value in values]


def test_no_detectors_are_no_rows() -> None:
    check_detectors({}, [])
    assert detectors({}, "truth", {}) == {}


def test_retention_is_taken_within_a_seed_and_then_averaged() -> None:
    table = detectors({"full": run(0.2, 0.3), "truth": run(0.4, 0.4)}, "truth", {})
    kept = table["full"]["retention"]
    assert kept["mask_ap"]["per_seed"] == pytest.approx([0.5, 0.75])
    assert kept["mask_ap"]["mean"] == pytest.approx(0.625)
    assert kept["mask_ap"]["sd"] == pytest.approx(0.125 * 2**0.5)
    assert kept["mask_ap_50"]["per_seed"] == pytest.approx([2 / 3, 5 / 6])  # AP50 is AP + 0.2
    assert kept["mask_ap_75"]["mean"] is None
    assert table["truth"]["retention"]["mask_ap"]["mean"] == 1
    assert table["full"]["mask_ap"]["mean"] == pytest.approx(0.25)
    assert table["full"]["mask_ap_50"]["mean"] == pytest.approx(0.45)
    assert table["full"]["mask_ap_75"]["mean"] is None
    assert table["full"]["box_ap"]["sd"] == pytest.approx(0.05 * 2**0.5)


def test_the_loss_against_ground_truth_is_paired() -> None:
    table = detectors({"full": run(0.2, 0.3), "truth": run(0.4, 0.4)}, "truth", {})
    assert table["full"]["lost"]["mask_ap"]["per_seed"] == pytest.approx([-0.2, -0.1])
    assert table["full"]["lost"]["mask_ap"]["told"] is False
    assert table["truth"]["lost"] == {}
    assert detectors({"full": run(0.2)}, "truth", {})["full"]["lost"] == {}


def test_without_a_reference_or_with_an_empty_one_there_is_no_retention() -> None:
    alone = detectors({"full": run(0.2)}, "truth", {})
    assert alone["full"]["retention"]["mask_ap"]["mean"] is None
    table = detectors({"full": run(0.2), "truth": run(0.0)}, "truth", {})
    assert table["full"]["retention"]["mask_ap"]["per_seed"] == [None]


def test_boxes_alone_have_no_mask_ap() -> None:
    metrics = run(0.2)[0]
    metrics["detector"]["segm"] = None
    entry = detectors({"full": [metrics]}, "full", {})["full"]
    assert entry["mask_ap"]["per_seed"] == entry["retention"]["mask_ap"]["per_seed"] == [None]
    assert entry["box_ap"]["mean"] == pytest.approx(0.3)


def test_gains_are_taken_within_a_seed() -> None:
    table = detectors({"full": run(0.2, 0.3), "paste": run(0.3, 0.3)}, "", {"paste": "full"})
    assert table["full"]["over"] is None
    assert table["full"]["gains"] == {}
    assert table["paste"]["over"] == "full"
    assert table["paste"]["gains"]["mask_ap"]["per_seed"] == pytest.approx([0.1, 0.0])
    assert table["paste"]["gains"]["mask_ap"]["raised"] == 1


def test_what_is_compared_with_a_detector_that_is_not_there_has_no_gain() -> None:
    assert detectors({"paste": run(0.3)}, "", {"paste": "full"})["paste"]["over"] is None


def test_a_missing_detector_is_refused() -> None:
    with pytest.raises(ValueError, match="variant full, seed 1: no detector was scored"):
        check_detectors({"truth": run(0.4, 0.4), "full": run(0.2, None)}, [0, 1])


def test_detectors_on_other_objects_are_refused() -> None:
    other = run(0.2)
    other[0]["detector"]["objects"] = 8
    with pytest.raises(ValueError, match="seed 5: the detector of full was scored on 8 objects"):
        check_detectors({"truth": run(0.4), "full": other}, [5])
