"""One object: the written mask stands beside its bag, and changes nothing in it."""

import numpy as np
import pytest

from stages.geometry.masks import Rle, masks_to_rles, rle_areas, rle_boxes
from stages.metrics.choices import Bag
from stages.metrics.mask_quality import STATISTICS
from stages.metrics.object_quality import PSEUDO_LABEL, ObjectQuality, object_quality

LIMITS = {"group_cover": 0.5, "local_cover": 0.5, "local_inside": 0.6}


def mask(*spans: tuple[int, int]) -> Rle:
    pixels = np.zeros((1, 20, 24), dtype=np.uint8)
    for start, end in spans:
        pixels[0, 5:15, start:end] = 1
    return masks_to_rles(pixels)[0]


def score(rles: list[Rle], written: Rle | None, truth: Rle) -> ObjectQuality:
    size = len(rles)
    bag = Bag(
        rles=rles,
        boxes=rle_boxes(rles).astype(np.float64),
        area=rle_areas(rles),
        proposal_id=np.arange(size),
        slot=np.zeros(size, dtype=np.int64),
        is_point=np.zeros(size, dtype=bool),
        sam_score=np.ones(size),
    )
    box = rle_boxes([truth])[0]
    return object_quality(
        bag, {"psm": 0}, written, truth=truth, truth_box=box, others=[], limits=LIMITS
    )


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
    assert quality.statistics[PSEUDO_LABEL].tolist() == [0] * len(STATISTICS)
    assert quality.ratios[PSEUDO_LABEL] == 0
