"""Means over objects and classes against a loop, and the golden numbers of SAPNet's Table 7."""

import json
from pathlib import Path

import numpy as np
import pytest

from stages.geometry.boxes import box_iou
from stages.metrics.label_quality import LabelQuality, gap, miou_star
from stages.metrics.mask_quality import STATISTICS
from stages.metrics.object_quality import ObjectQuality

FOLDER = Path(__file__).parents[2] / "golden"
GOLDEN = json.loads((FOLDER / "sapnet.json").read_text())["cases"]
BOXES = json.loads((FOLDER / "boxes.json").read_text())["metrics"]


def quality_of(statistics: dict[str, np.ndarray]) -> ObjectQuality:
    return ObjectQuality(statistics, dict.fromkeys(statistics, 1.0), 1.0, 1.0)


def test_nothing_collected_has_no_choices() -> None:
    assert LabelQuality().means(categories=3) == {}
    assert LabelQuality().gaps() == {}


def test_golden_mean_box_iou() -> None:
    case = GOLDEN["metrics"]["mean_iou"]
    pairs = zip(case["pred"], case["gt"], strict=True)
    quality = LabelQuality()
    for seen, truth in pairs:
        statistics = np.zeros(len(STATISTICS))
        statistics[0] = box_iou(np.array([seen], float), np.array([truth], float))[0, 0]
        quality.add(1, quality_of({"psm": statistics}))
    assert quality.means(categories=3)["psm"]["box_iou"] == pytest.approx(case["expected"])


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
        statistics = {"psm": np.zeros(len(STATISTICS))}
        quality.add(1, ObjectQuality(statistics, {"psm": bag[chosen]}, max(bag), truth))
    assert quality.gaps()["psm"]["gap"] == pytest.approx(case["expected"]["Gap"])


def test_a_gap_without_objects_above_the_mean_is_none() -> None:
    assert gap([0.5, 0.5], [0.5, 0.5], [0.4, 0.4]) == {"r_v": 0.5, "kept": 0, "gap": None}


def test_means_equal_a_loop_over_objects() -> None:
    rng = np.random.default_rng(0)
    quality, rows = LabelQuality(), []
    for number in range(30):
        category = int(rng.integers(1, 4))
        statistics = {"random": rng.random(len(STATISTICS))}
        if number % 2:  # not every object has every choice
            statistics["slot"] = rng.random(len(STATISTICS))
        rows += [(name, category, values) for name, values in statistics.items()]
        quality.add(category, quality_of(statistics))
    means = quality.means(categories=3)
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


def test_difficulties_are_groups_of_their_own_and_none_is_no_group() -> None:
    quality = LabelQuality()
    for value, difficulty in ((0.25, "part"), (0.75, "part"), (1.0, "group"), (0.5, None)):
        quality.add(1, quality_of({"psm": np.full(len(STATISTICS), value)}), difficulty=difficulty)
    means = quality.means(categories=3)["psm"]
    assert means["mask_iou"] == 0.625
    seen = {key: (entry["n"], entry["mask_iou"]) for key, entry in means["by_difficulty"].items()}
    assert seen == {"part": (2, 0.5), "group": (1, 1.0)}


def test_sizes_are_groups_beside_difficulties() -> None:
    quality = LabelQuality()
    for value, size in ((0.25, "< 2 %"), (0.75, ">= 2 %"), (1.0, ">= 2 %")):
        statistics = quality_of({"psm": np.full(len(STATISTICS), value)})
        quality.add(1, statistics, difficulty="part", size=size)
    means = quality.means(categories=3)["psm"]
    seen = {key: (entry["n"], entry["mask_iou"]) for key, entry in means["by_size"].items()}
    assert seen == {"< 2 %": (1, 0.25), ">= 2 %": (2, 0.875)}
    assert means["by_difficulty"]["part"]["n"] == 3


def test_without_difficulties_and_sizes_there_is_no_group() -> None:
    quality = LabelQuality()
    quality.add(1, quality_of({"psm": np.ones(len(STATISTICS))}))
    means = quality.means(categories=3)["psm"]
    assert means["by_difficulty"] == means["by_size"] == {}


def statistics_of(mask_iou: float) -> np.ndarray:
    values = dict.fromkeys(STATISTICS, 0.0)
    values |= {
        "mask_iou": mask_iou,
        "mask_iou_50": mask_iou >= 0.5,
        "mask_iou_75": mask_iou >= 0.75,
    }
    return np.array([values[name] for name in STATISTICS], dtype=float)


def test_golden_miou_star_counts_absent_classes_both_ways() -> None:
    """Classes 1, 2 and 4 of 4: (0.8 + 0.375 + 0.75) / 3, and the same sum over 4."""
    quality = LabelQuality()
    for category, iou in zip(BOXES["classes"], BOXES["ious"], strict=True):
        quality.add(category, quality_of({"psm": statistics_of(iou)}))
    means = quality.means(categories=BOXES["num_classes"])["psm"]
    wanted = (
        BOXES["miou_star_present_classes_only"],
        BOXES["miou_star_authors_empty_class_counts_as_zero"],
    )
    assert (means["miou_star"]["present"], means["miou_star"]["all"]) == pytest.approx(wanted)
    for key, wanted in BOXES["per_class_mean"].items():
        assert means["per_class"].get(key, {}).get("mask_iou") == pytest.approx(wanted)
    assert means["mask_iou_50"] == BOXES["iou_at_50"]
    assert means["mask_iou_75"] == BOXES["iou_at_75_exact_arithmetic"]


def test_miou_star_is_one_number_where_no_class_is_absent() -> None:
    assert miou_star([0.25, 0.75], 2) == {"present": 0.5, "all": 0.5}
    assert miou_star([0.25], 4) == {"present": 0.25, "all": 0.0625}
