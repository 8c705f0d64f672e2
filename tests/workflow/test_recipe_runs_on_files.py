"""One tiny run of each recipe on files of labels."""

import json
from typing import Any

import pytest

from tests.workflow.recipe_runs import ON_FILES, SMALL, run_recipe
from tests.workflow.workspace import Workspace, merged


@pytest.mark.parametrize("name", ["sapnet", "coco2017", "voc2012", "coco_tiny"])
def test_a_recipe_on_files_ends_with_labels_and_a_scored_detector(
    name: str, fresh: Workspace, scenes: dict[str, Any]
) -> None:
    fresh.configure(merged(SMALL, ON_FILES, {"dataset": scenes}))
    run_recipe(fresh, name)
    metrics = json.loads((fresh.results() / "sapnet/evaluate/metrics.json").read_text())
    assert metrics["counts"]["images"] == 4
    assert metrics["counts"]["scored"] == metrics["pseudo_labels"]["annotations"] > 0
    assert metrics["detector"]["images"] == 2


@pytest.mark.parametrize(
    ("name", "variants"),
    [("photographs", ["sam_top1", "zoomed"]), ("grading_photographs", ["points", "boxes_sam"])],
)
def test_a_comparison_on_files_ends_with_its_tables_by_size(
    name: str, variants: list[str], fresh: Workspace, scenes: dict[str, Any]
) -> None:
    report = {"variants": variants, "seeds": [0]}
    fresh.configure(merged(SMALL, ON_FILES, {"dataset": scenes, "report": report}))
    run_recipe(fresh, name, "ablation")
    folder = fresh.results() / "report"
    table = (folder / "ablation.md").read_text().split("## By size of object")[1].split("## ")[0]
    assert all(f"**{variant}**" in table for variant in variants)
    numbers = json.loads((folder / "ablation.json").read_text())
    assert len(numbers["sizes"]) == 5
    assert sum(counts[0] for counts in numbers["sizes"].values()) == numbers["objects"][0] > 0
