"""One object: the written mask stands beside its bag, and changes nothing in it."""

import numpy as np
import pytest

from stages.geometry.masks import Rle, masks_to_rles, rle_areas, rle_boxes
from stages.metrics.choices import ScoredBag
from stages.metrics.mask_quality import STATISTICS
from stages.metrics.object_quality import (
    PSEUDO_LABEL,
    TRUSTED,
    ObjectQuality,
    TrueObject,
    WrittenLabel,
    object_quality,
)

LIMITS = {"group_cover": 0.5, "local_cover": 0.5, "local_inside": 0.6}


def mask(*spans: tuple[int, int]) -> Rle:
    pixels = np.zeros((1, 20, 24), dtype=np.uint8)
    for start, end in spans:
        pixels[0, 5:15, start:end] = 1
    return masks_to_rles(pixels)[0]


def label(rle: Rle, box: np.ndarray | None = None, *, is_trusted: bool = True) -> WrittenLabel:
    hull = rle_boxes([rle])[0].astype(np.float64)
    return WrittenLabel(rle, hull if box is None else box, 0.5, is_trusted)


def score(rles: list[Rle], written: Rle | WrittenLabel | None, truth: Rle) -> ObjectQuality:
    size = len(rles)
    bag = ScoredBag(
        rles=rles,
        boxes=rle_boxes(rles).astype(np.float64),
        area=rle_areas(rles),
        proposal_id=np.arange(size),
        slot=np.zeros(size, dtype=np.int64),
        is_own=np.zeros(size, dtype=bool),
        predicted_iou=np.ones(size),
    )
    goal = TrueObject(1, truth, rle_boxes([truth])[0].astype(np.float64))
    made = label(written) if isinstance(written, dict) else written
    return object_quality(bag, {"psm": 0}, made, truth=goal, others=[], limits=LIMITS)


def iou(quality: ObjectQuality, name: str) -> float:
    return float(quality.statistics[name][STATISTICS.index("mask_iou")])


def test_without_a_written_mask_there_is_no_such_choice() -> None:
    quality = score([mask((0, 5))], None, mask((0, 10)))
    assert PSEUDO_LABEL not in quality.statistics
    assert PSEUDO_LABEL not in quality.ratios
    assert iou(quality, "psm") == pytest.approx(0.5)


def test_a_written_mask_may_beat_the_ceiling_of_the_bag() -> None:
    quality = score([mask((0, 5)), mask((0, 4))], mask((0, 9)), mask((0, 10)))
    assert iou(quality, "best_in_bag") == pytest.approx(0.5)
    assert iou(quality, "random") == pytest.approx(0.45)
    assert iou(quality, PSEUDO_LABEL) == pytest.approx(0.9)


def test_ratios_are_mask_over_box_and_the_best_is_of_the_bag_alone() -> None:
    holed = mask((0, 2), (8, 10))  # 4 of 10 columns
    quality = score([holed, mask((0, 1), (9, 10))], mask((0, 10)), mask((0, 5), (10, 15)))
    assert quality.ratios["psm"] == pytest.approx(0.4)
    assert quality.ratios["random"] == pytest.approx(0.3)
    assert quality.ratios[PSEUDO_LABEL] == pytest.approx(1)
    assert quality.best_ratio == pytest.approx(0.4)
    assert quality.truth_ratio == pytest.approx(10 / 15)


def test_an_empty_written_mask_is_worth_nothing() -> None:
    quality = score([mask((0, 5))], mask(), mask((0, 10)))
    assert quality.statistics[PSEUDO_LABEL][STATISTICS.index("mask_iou")] == 0
    assert quality.ratios[PSEUDO_LABEL] == 0


def test_a_label_that_is_not_trusted_is_no_trusted_choice() -> None:
    trusted = score([mask((0, 5))], label(mask((0, 5))), mask((0, 10)))
    assert trusted.statistics[TRUSTED].tolist() == trusted.statistics[PSEUDO_LABEL].tolist()
    seen = score([mask((0, 5))], label(mask((0, 5)), is_trusted=False), mask((0, 10)))
    assert TRUSTED not in seen.statistics
    assert TRUSTED not in seen.ratios
    assert iou(seen, PSEUDO_LABEL) == pytest.approx(0.5)


def test_the_box_is_the_written_one_and_the_ratio_that_of_the_mask_alone() -> None:
    """The mask is the left half of the object, the box the object's."""
    box = np.array([0.0, 5.0, 10.0, 15.0])
    seen = score([mask((0, 5))], label(mask((0, 5)), box), mask((0, 10)))
    assert seen.statistics[PSEUDO_LABEL][STATISTICS.index("box_iou")] == pytest.approx(1)
    assert iou(seen, PSEUDO_LABEL) == pytest.approx(0.5)
    assert seen.ratios[PSEUDO_LABEL] == pytest.approx(1)


def test_a_mask_of_exactly_three_quarters_counts_at_0_75() -> None:
    """Golden trap of boxes.json: 1e-7 in the denominator would make it 0.74999."""
    seen = score([mask((0, 3))], mask((0, 9)), mask((0, 12)))
    assert seen.statistics[PSEUDO_LABEL][STATISTICS.index("mask_iou_75")] == 1
