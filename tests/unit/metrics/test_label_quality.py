"""Means over objects and classes against a loop, and the golden numbers of SAPNet's Table 7."""

import json
from pathlib import Path

import numpy as np
import pytest

from stages.geometry.boxes import box_iou
from stages.metrics.label_quality import LabelQuality, gap
from stages.metrics.mask_quality import STATISTICS

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "sapnet.json").read_text())["cases"]


def test_nothing_collected_has_no_choices() -> None:
    assert LabelQuality().means() == {}
    assert LabelQuality().gaps() == {}


def test_golden_mean_box_iou() -> None:
    case = GOLDEN["metrics"]["mean_iou"]
    pairs = zip(case["pred"], case["gt"], strict=True)
    quality = LabelQuality()
    for seen, truth in pairs:
        statistics = np.zeros((1, len(STATISTICS)))
        statistics[0, 0] = box_iou(np.array([seen], float), np.array([truth], float))[0, 0]
        quality.add(1, statistics, {"psm": np.ones(1)}, ratios=np.ones(1), truth_ratio=1.0)
    assert quality.means()["psm"]["box_iou"] == pytest.approx(case["expected"])


def test_golden_gap() -> None:
    case = GOLDEN["metrics"]["Rv"]
    bags = np.array(case["inputs"]["bag_Rv"])
    chosen = bags[np.arange(len(bags)), case["inputs"]["selected"]]
    seen = gap(bags.max(axis=1), chosen, case["inputs"]["gt_Rv"])
    assert seen["r_v"] == pytest.approx(case["expected"]["r_v"])
    assert seen["gap"] == pytest.approx(case["expected"]["Gap"])
    assert seen["kept"] == len(case["expected"]["kept_objects"])


def test_golden_gap_through_the_collector() -> None:
    case = GOLDEN["metrics"]["Rv"]
    quality = LabelQuality()
    inputs = case["inputs"]
    for bag, chosen, truth in zip(
        inputs["bag_Rv"], inputs["selected"], inputs["gt_Rv"], strict=True
    ):
        weights = {"psm": np.eye(3)[chosen]}
        quality.add(1, np.zeros((3, 6)), weights, ratios=np.array(bag), truth_ratio=truth)
    assert quality.gaps()["psm"]["gap"] == pytest.approx(case["expected"]["Gap"])


def test_a_gap_without_objects_above_the_mean_is_none() -> None:
    assert gap([0.5, 0.5], [0.5, 0.5], [0.4, 0.4]) == {"r_v": 0.5, "kept": 0, "gap": None}


def test_means_equal_a_loop_over_objects() -> None:
    rng = np.random.default_rng(0)
    quality, rows = LabelQuality(), []
    for number in range(30):
        size, category = int(rng.integers(1, 6)), int(rng.integers(1, 4))
        statistics = rng.random((size, len(STATISTICS)))
        weights = {"random": np.full(size, 1 / size)}
        rows.append(("random", category, statistics.mean(axis=0)))
        if number % 2:  # not every object has every choice
            weights["slot"] = np.eye(size)[0]
            rows.append(("slot", category, statistics[0]))
        quality.add(category, statistics, weights, ratios=np.ones(size), truth_ratio=1.0)
    means = quality.means()
    for name in ("random", "slot"):
        mine = [(category, row) for choice, category, row in rows if choice == name]
        assert means[name]["n"] == len(mine)
        for column, statistic in enumerate(STATISTICS):
            everything = [row[column] for _, row in mine]
            assert means[name][statistic] == pytest.approx(np.mean(everything))
            classes = sorted({category for category, _ in mine})
            per_class = [np.mean([r[column] for c, r in mine if c == key]) for key in classes]
            assert means[name]["class_mean"][statistic] == pytest.approx(np.mean(per_class))
            seen = [means[name]["per_class"][str(key)][statistic] for key in classes]
            assert seen == pytest.approx(per_class)
