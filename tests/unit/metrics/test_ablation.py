"""Variants side by side: rows, headroom and gains counted by hand, and what is refused."""

from typing import Any

import pytest

from stages.metrics.ablation import (
    ablation,
    check_runs,
    difficulties_of,
    headroom,
    measures_of,
    statistic,
    trivial_names,
)
from tests.measured import LARGE, SMALL, measured

TRIVIAL = {"random": 0.3, "fixed_slot_2": 0.35, "sam_top1": 0.4, "best_in_bag": 0.8}


def run(*values: float, **more: Any) -> list[dict[str, Any]]:
    return [measured({**TRIVIAL, "pseudo_label": value}, **more) for value in values]


def test_one_variant_alone_has_rows_and_no_gains() -> None:
    numbers = ablation({"full": run(0.5)}, {"full": None})
    names = ["random", "fixed_slot_2", "sam_top1", "full", "best_in_bag"]
    assert [row["name"] for row in numbers["rows"]] == names
    assert [row["kind"] for row in numbers["rows"]] == [*["trivial"] * 3, "variant", "ceiling"]
    assert numbers["gains"] == numbers["uncompared"] == {}
    assert (numbers["images"], numbers["objects"]) == ([5], [40])
    assert numbers["difficulties"] == {"single": [10], "part": [30]}
    assert numbers["rows"][3]["measures"]["mask_iou"] == {
        "per_seed": [0.5],
        "mean": 0.5,
        "sd": None,
    }


def test_a_variant_takes_the_place_of_the_trivial_choice_of_its_name() -> None:
    rows = ablation({"sam_top1": run(0.4), "mil": run(0.5)}, {})["rows"]
    kinds = {row["name"]: row["kind"] for row in rows}
    assert kinds["sam_top1"] == "variant"
    assert [row["name"] for row in rows].count("sam_top1") == 1


def test_headroom_is_the_share_of_the_way_from_sam_top1_to_the_ceiling() -> None:
    numbers = ablation({"full": run(0.5, 0.6)}, {})
    measures = {row["name"]: row["measures"]["headroom"] for row in numbers["rows"]}
    assert measures["full"]["per_seed"] == pytest.approx([0.25, 0.5])  # 0.1 and 0.2 of 0.4
    assert measures["full"]["mean"] == pytest.approx(0.375)
    assert measures["random"]["mean"] == pytest.approx(-0.25)
    assert measures["sam_top1"]["mean"] == 0
    assert measures["best_in_bag"]["mean"] == 1


@pytest.mark.parametrize(
    ("value", "base", "ceiling"),
    [(None, 0.4, 0.8), (0.5, None, 0.8), (0.5, 0.4, None), (0.4, 0.4, 0.4)],
)
def test_without_a_way_there_is_no_headroom(
    value: float | None, base: float | None, ceiling: float | None
) -> None:
    assert headroom(value, base, ceiling) is None


def test_gains_are_paired_by_seed_over_all_and_by_difficulty() -> None:
    runs = {"mil": run(0.4, 0.5), "full": run(0.6, 0.6)}  # gains 0.2 and 0.1
    entry = ablation(runs, {"full": "mil", "mil": None})["gains"]["full"]
    assert entry["over"] == "mil"
    for group in ("all", "single", "part"):
        for key in ("mask_iou", "box_iou"):
            seen = entry["gains"][key][group]
            assert seen["per_seed"] == pytest.approx([0.2, 0.1])
            assert (seen["raised"], seen["seeds"]) == (2, 2)
    assert entry["gains"]["group"]["all"]["per_seed"] == pytest.approx([-0.1, -0.05])
    assert entry["gains"]["local"]["all"]["raised"] == 0


def test_a_difficulty_that_a_seed_lacks_counts_the_other_seeds() -> None:
    runs = {name: [*run(value), *run(value, sizes={"single": 40})] for name, value in PAIR.items()}
    numbers = ablation(runs, {"full": "mil"})
    assert numbers["difficulties"] == {"single": [10, 40], "part": [30, 0]}
    seen = numbers["gains"]["full"]["gains"]["mask_iou"]["part"]
    assert seen["per_seed"] == [pytest.approx(0.2), None]
    assert (seen["sd"], seen["seeds"]) == (None, 1)


PAIR = {"mil": 0.4, "full": 0.6}


def test_without_difficulties_everything_is_one_group() -> None:
    runs = {name: run(value, sizes={}) for name, value in PAIR.items()}
    numbers = ablation(runs, {"full": "mil"})
    assert numbers["difficulties"] == {}
    assert set(numbers["gains"]["full"]["gains"]["mask_iou"]) == {"all"}


def test_every_row_has_its_mask_iou_by_size_and_sizes_their_counts() -> None:
    numbers = ablation({"full": run(0.5, 0.6)}, {})
    assert numbers["sizes"] == {SMALL: [7, 7], LARGE: [33, 33]}
    rows = {row["name"]: row["by_size"] for row in numbers["rows"]}
    assert list(rows["full"]) == [SMALL, LARGE]
    assert rows["full"][SMALL]["per_seed"] == pytest.approx([0.2, 0.3])
    assert rows["full"][LARGE]["mean"] == pytest.approx(0.55)
    assert rows["best_in_bag"][SMALL]["mean"] == pytest.approx(0.5)
    assert rows["random"][SMALL]["sd"] == 0


def test_a_size_without_objects_is_there_and_has_no_mean() -> None:
    numbers = ablation({"full": [*run(0.5, small=0), *run(0.6)]}, {})
    assert numbers["sizes"][SMALL] == [0, 7]
    found = {row["name"]: row["by_size"] for row in numbers["rows"]}["full"][SMALL]
    assert found["per_seed"] == [None, pytest.approx(0.3)]
    assert ablation({"full": run(0.5, small=0)}, {})["rows"][0]["by_size"][SMALL]["mean"] is None


def test_difficulties_of_others_follow_those_of_partworld() -> None:
    names = ["zebra", "occluded", "apple", "single"]
    column = run(0.5, sizes=dict.fromkeys(names, 1))
    assert difficulties_of(column) == ["single", "occluded", "apple", "zebra"]


def test_a_variant_over_one_that_was_not_run_is_named() -> None:
    numbers = ablation({"full": run(0.5)}, {"full": "pnpg", "code": "full"})
    assert numbers["gains"] == {}
    assert numbers["uncompared"] == {"full": "pnpg"}


def test_full_and_best_are_held_against_every_trivial_choice() -> None:
    runs = {"mil": run(0.4, 0.4), "best": run(0.5, 0.6)}
    against = ablation(runs, {})["against"]
    assert list(against) == ["best"]
    assert list(against["best"]) == ["random", "fixed_slot_2", "sam_top1"]
    seen = against["best"]["random"]["mask_iou"]
    assert seen["per_seed"] == pytest.approx([0.2, 0.3])
    assert seen["min"] == pytest.approx(0.2)
    assert seen["beyond_3_sd"] is True  # 0.25 > 3 * 0.0707


def test_what_a_choice_lacks_is_none() -> None:
    metrics = run(0.5, gap=None)[0]
    assert measures_of(metrics, "pseudo_label")["gap"] is None
    assert set(measures_of(metrics, "largest").values()) == {None}
    assert statistic(metrics, "largest", "mask_iou") is None
    assert statistic(metrics, "random", "mask_iou", "elsewhere") is None


def test_slots_of_any_seed_are_rows() -> None:
    other = measured({"random": 0.3, "fixed_slot_1": 0.2, "best_in_bag": 0.8})
    assert trivial_names([*run(0.5), other]) == [
        *("random", "fixed_slot_1", "fixed_slot_2", "sam_top1")
    ]


def test_runs_on_the_same_objects_pass() -> None:
    check_runs({"mil": run(0.4, 0.5), "full": run(0.5, 0.5)}, [0, 1])


def test_runs_on_other_objects_are_refused() -> None:
    runs = {"mil": run(0.4, 0.4), "full": [*run(0.5), *run(0.5, sizes={"single": 39})]}
    words = "seed 7: variant full was scored on 39 objects, variant mil on 40"
    with pytest.raises(ValueError, match=words):
        check_runs(runs, [3, 7])


@pytest.mark.parametrize(
    ("sizes", "words"),
    [([LARGE], "its size classes are >= 2 %, those"), (None, "its size classes are none")],
)
def test_runs_with_other_size_classes_are_refused(sizes: list[str] | None, words: str) -> None:
    other = run(0.5)[0]
    del other["label_quality"]["sizes"]
    other["label_quality"] |= {"sizes": sizes} if sizes else {}
    with pytest.raises(ValueError, match=f"variant full, seed 3: {words}.*evaluate.sizes"):
        check_runs({"mil": run(0.4), "full": [other]}, [3])
    if sizes is None:  # metrics from before there were any
        with pytest.raises(ValueError, match="variant full, seed 3: its size classes are none"):
            check_runs({"full": [other]}, [3])


def test_a_variant_that_was_not_scored_is_refused() -> None:
    unscored = {**run(0.5)[0], "label_quality": None}
    with pytest.raises(ValueError, match="variant full, seed 3: no object was scored"):
        check_runs({"full": [unscored]}, [3])


def test_a_variant_without_all_pseudo_labels_is_refused() -> None:
    short = run(0.5)[0]
    short["label_quality"]["choices"]["pseudo_label"]["n"] = 39
    with pytest.raises(ValueError, match="39 of 40 scored objects have a pseudo-label"):
        check_runs({"full": [short]}, [3])
    with pytest.raises(ValueError, match="0 of 40 scored objects have a pseudo-label"):
        check_runs({"full": [measured(TRIVIAL)]}, [3])
