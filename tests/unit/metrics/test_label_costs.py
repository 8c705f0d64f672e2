"""Kinds of labels side by side: their order, their neighbours, and what they must share."""

import pytest

from stages.metrics.label_costs import check_costs, label_costs
from tests.costed import pointed_metrics, supervised_metrics, tagged_metrics

RUNS = {
    "truth": [supervised_metrics(0.5), supervised_metrics(0.6)],
    "points": [pointed_metrics(0.4), pointed_metrics(0.45)],
    "tags": [tagged_metrics(0.2), tagged_metrics(0.3)],
}
SECONDS = {"truth": [400.0, 420.0], "points": [15.0, 17.0], "tags": [10.0, 10.0]}


def test_kinds_stand_by_their_cost_and_each_over_the_next_cheaper() -> None:
    found = label_costs(RUNS, SECONDS, "truth")
    assert list(found["kinds"]) == ["tags", "points", "truth"]
    over = [(entry["name"], entry["over"], entry["times"]) for entry in found["neighbours"]]
    assert over == [("points", "tags", 1.6), ("truth", "points", pytest.approx(410 / 16))]
    gain = found["neighbours"][0]
    assert gain["mask_ap"]["per_seed"] == pytest.approx([0.2, 0.15])
    assert gain["label_ap"]["per_seed"] == pytest.approx([0.4, 0.35])
    assert found["neighbours"][1]["label_ap"]["seeds"] == 0  # the truth has none
    assert found["kinds"]["points"]["share"]["per_seed"] == pytest.approx([0.8, 0.75])
    assert found["kinds"]["points"]["mask_iou"]["mean"] == pytest.approx(0.7125)


def test_nothing_is_so_many_times_dearer_than_what_is_free() -> None:
    free = {**SECONDS, "tags": [0.0, 0.0]}
    assert label_costs(RUNS, free, "truth")["neighbours"][0]["times"] is None


def test_labels_of_tags_and_of_objects_are_counted_apart() -> None:
    check_costs(RUNS, [3, 4])
    more = {**RUNS, "other_tags": [tagged_metrics(0.2), tagged_metrics(0.2, objects=41)]}
    with pytest.raises(ValueError, match="seed 4: the labels of other_tags rest on 41 objects, ma"):
        check_costs(more, [3, 4])
