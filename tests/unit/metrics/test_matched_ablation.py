"""Variants matched by IoU side by side: every measure in its place, and what is refused."""

import pytest

from stages.metrics.matched_ablation import (
    CLASS_MEASURES,
    MEASURES,
    OF_DETECTIONS,
    are_matched,
    check_matched,
    class_measures,
    matched_ablation,
    matched_measures,
)
from tests.matched import matched
from tests.measured import measured

RUNS = {"top1": [matched(0, 6), matched(1, 6)], "adaptive": [matched(0, 2), matched(1, 3)]}


def test_one_variant_alone_has_a_row_and_no_gains() -> None:
    numbers = matched_ablation({"top1": RUNS["top1"]}, {"top1": None})
    assert [row["name"] for row in numbers["matched_rows"]] == ["top1"]
    assert numbers["gains"] == numbers["uncompared"] == {}
    assert (numbers["images"], numbers["objects"]) == ([3, 3], [12, 12])


def test_every_measure_is_where_evaluate_wrote_it() -> None:
    metrics = RUNS["adaptive"][0]
    seen = matched_measures(metrics)
    assert tuple(seen) == MEASURES
    assert seen["label_iou"] == metrics["label_match"]["masks"]["label_iou"]
    assert seen["corloc"] == metrics["wsod"]["corloc"]["corloc"]
    assert seen["corloc_two_branch"] == metrics["wsod"]["corloc_two_branch"]["corloc"]
    assert seen["ap50_11"] == metrics["wsod"]["ap50"]["ap50_11"]
    assert seen["per_image"] == metrics["proposals"]["per_image"] == 8
    assert None not in seen.values()


def test_gains_are_paired_by_seed() -> None:
    numbers = matched_ablation(RUNS, {"top1": None, "adaptive": "top1"})
    gains = numbers["gains"]["adaptive"]["gains"]
    assert tuple(gains) == MEASURES
    wanted = [16 / 20 - 12 / 24, 15 / 21 - 12 / 24]
    assert gains["label_iou"]["per_seed"] == pytest.approx(wanted)
    assert (gains["label_iou"]["raised"], gains["label_iou"]["seeds"]) == (2, 2)
    assert gains["per_image"]["mean"] == 0


def test_a_variant_over_one_that_was_not_run_is_named() -> None:
    numbers = matched_ablation(RUNS, {"adaptive": "full", "top1": None})
    assert numbers["uncompared"] == {"adaptive": "full"}


def test_every_class_has_its_rates_and_the_kinds_of_its_errors() -> None:
    row = matched_ablation(RUNS, {})["matched_rows"][1]
    assert list(row["by_class"]) == ["3", "8"]
    assert tuple(row["by_class"]["8"]) == CLASS_MEASURES
    metrics = matched(0, 6)
    metrics["wsod"]["corloc"]["per_class"]["3"] |= {"n": 4, "part": 1, "without_box": 2}
    metrics["label_match"]["masks"]["per_class"]["3"] |= {"labels": 8, "part": 2}
    seen = class_measures(metrics, "3")
    assert (seen["part"], seen["without_box"], seen["label_part"]) == (0.25, 0.5, 0.25)
    assert set(class_measures(metrics, "99").values()) == {None}


def test_labels_of_points_have_no_detections() -> None:
    seen = matched_measures(matched(0, 2, tagged=False))
    assert {seen[name] for name in OF_DETECTIONS} == {None}
    assert seen["f1"] == 1
    assert class_measures(matched(0, 2, tagged=False), "3")["corloc"] is None


def test_runs_on_the_same_objects_pass() -> None:
    check_matched(RUNS, [0, 1])
    assert are_matched(RUNS)
    assert not are_matched({"full": [measured({"random": 0.3})]})


def test_runs_of_both_kinds_are_refused() -> None:
    runs = {"tags": [matched(0, 2)], "full": [measured({"random": 0.3})]}
    with pytest.raises(
        ValueError, match=r"variant full, seed 4: its labels were not matched by IoU"
    ):
        check_matched(runs, [4])
    turned = dict(reversed(runs.items()))
    assert are_matched(turned)
    with pytest.raises(ValueError, match=r"variant full, seed 4.*evaluate\.match: iou"):
        check_matched(turned, [4])


def test_runs_on_other_objects_are_refused() -> None:
    runs = {"top1": [matched(0, 2)], "adaptive": [matched(0, 2, images=2)]}
    with pytest.raises(ValueError, match="adaptive was scored on 8 objects, variant top1 on 12"):
        check_matched(runs, [4])
