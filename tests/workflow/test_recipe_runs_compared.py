"""One tiny run of each recipe that compares variants on the drawn world."""

from typing import Any

import pytest
import yaml

from tests.workflow.recipe_runs import SMALL, TRAINING, run_recipe
from tests.workflow.workspace import ROOT, Workspace, merged

COMPARED: dict[str, dict[str, list[Any]]] = {  # of each comparison's recipe, a corner
    "benchmark": {"variants": ["sam_top1", "full"], "detectors": []},
    "retention": {"variants": ["sam_top1"], "detectors": ["sam_top1", "fully_supervised"]},
    "selection": {"variants": ["best_joint", "kept"], "detectors": []},
    "tables": {"variants": ["table5_50_40", "table8_30_30"], "detectors": []},
    "detectors": {"variants": ["full", "full_merged"], "detectors": ["full_drop", "truth_paste"]},
    "sapnet_p2b": {"variants": ["points", "p2b"], "detectors": []},
    "grading": {"variants": ["points", "boxes_sam"], "detectors": []},
}


@pytest.mark.parametrize("name", COMPARED)
def test_a_comparison_ends_with_its_tables(name: str, fresh: Workspace) -> None:
    report = {**COMPARED[name], "seeds": [0], "detector_seeds": [0]}
    world = {"source": "partworld", "partworld": {"train": 4, "val": 1}}
    boxes = {"p2b": {"features": {"channels": 8, "hidden": 16}, "training": TRAINING}}
    more = {"dataset": world, "report": report, "variants": _early(name), "fit_prompt": boxes}
    fresh.configure(merged(SMALL, more))
    run_recipe(fresh, name, "ablation")
    table = (fresh.results() / "report" / "ablation.md").read_text()
    assert all(f"**{variant}**" in table for variant in COMPARED[name]["variants"])


def _early(name: str) -> dict[str, Any]:
    """The recipe's variants with RoI drop, which begins before the few steps are over."""
    recipe = yaml.safe_load((ROOT / "workflow" / "recipes" / f"{name}.yaml").read_text())
    dropping = [
        variant
        for variant, values in recipe.get("variants", {}).items()
        if "roi_drop" in values.get("train", {})
    ]
    return {variant: {"train": {"roi_drop": {"start": 1}}} for variant in dropping}


def test_a_second_look_ends_with_its_tables(fresh: Workspace) -> None:
    report = {"variants": ["once", "selective", "majority"], "seeds": [0]}
    report |= {"detectors": ["selective"], "detector_seeds": [0]}
    world = {"source": "partworld", "partworld": {"train": 4, "val": 1}}
    fresh.configure(merged(SMALL, {"dataset": world, "report": report, "variant": "selective"}))
    run_recipe(fresh, "relabel", "ablation")
    labels, detectors = (fresh.results() / "report" / "ablation.md").read_text().split("## Detec")
    assert all(f"**{name}**" in labels for name in report["variants"])
    assert "**selective**" in detectors
