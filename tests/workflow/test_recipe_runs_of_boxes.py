"""One tiny run of each recipe on boxes: SAM, BoxCaseg and SIM."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.onnx_file import write_onnx
from tests.workflow.recipe_runs import ON_FILES, SMALL, SMALL_TEACHER, run_recipe
from tests.workflow.workspace import TINY, Workspace, merged

SMALL_CROPS: dict[str, Any] = {
    **{"backbone": "small", "checkpoint": None, "channels": 4, "size": 32},
    "training": {
        **{"epochs": 1, "batch_images": 4, "size": 32, "size_salient": 40},
        "workers": 0,
    },
}


def test_boxes_end_with_masks_of_each_segmenter(fresh: Workspace) -> None:
    """The demo's variants, and the saliency network that the recipe leaves as an example."""
    names = ["filled", "ellipse", "grabcut", "sam_box", "pointed", "larger", "close_up", "saliency"]
    world = {"source": "partworld", "partworld": {"train": 4, "val": 1}}
    report = {"variants": names, "seeds": [0], "detectors": [], "detector_seeds": []}
    write_onnx(fresh.folder / "red.onnx")
    asked = {"segmenter": "saliency", "saliency": {"checkpoint": "red.onnx", "side": 32}}
    saliency = {"saliency": {"over": "filled", "propose": asked}}
    fresh.configure({"run": "tiny", "shards": 1, "dataset": world, "report": report,
                     "variants": saliency, "device": "cpu", "threads": 1})  # fmt: skip
    run_recipe(fresh, "sam_box_demo", "ablation")
    folder = fresh.results()
    table = (folder / "report" / "ablation.md").read_text()
    assert all(f"**{name}**" in table for name in names)
    found = {
        name: json.loads((folder / "seed-0" / name / "evaluate/metrics.json").read_text())
        for name in names
    }
    for metrics in found.values():
        assert metrics["counts"]["scored"] == metrics["box_agreement"]["n"] > 0
    assert set(found["filled"]["box_agreement"]["half_open"]) == {0}  # its box is the label's
    assert _mask_iou(found["filled"]) < _mask_iou(found["sam_box"])
    assert (folder / "seed-0" / "filled" / "evaluate" / "table.txt").read_text().count("half-open")


def _mask_iou(metrics: dict[str, Any]) -> float:
    return float(metrics["label_quality"]["choices"]["pseudo_label"]["mask_iou"])


def test_the_recipe_of_boxes_ends_with_labels_and_a_scored_detector(
    fresh: Workspace, scenes: dict[str, Any]
) -> None:
    fresh.configure(merged(TINY, {"dataset": scenes, "shards": 1, "variant": "sam_box"}))
    run_recipe(fresh, "sam_box")
    metrics = json.loads((fresh.results() / "sam_box/evaluate/metrics.json").read_text())
    assert metrics["counts"]["scored"] == metrics["pseudo_labels"]["annotations"] > 0
    assert metrics["detector"]["images"] == 2


def test_the_demo_of_boxcaseg_ends_with_its_tables(fresh: Workspace) -> None:
    world = {"source": "partworld", "partworld": {"train": 4, "val": 1, "salient": 4}}
    report = {
        "variants": ["filled", "boxcaseg", "weak_only", "merged"],
        "detectors": ["boxcaseg", "merged"],
        **{"seeds": [0], "detector_seeds": [0]},
    }
    more = {"dataset": world, "report": report, "propose": {"boxcaseg": SMALL_CROPS}}
    fresh.configure(merged(SMALL, more, {"variant": "boxcaseg"}))
    run_recipe(fresh, "boxcaseg_demo", "ablation")
    labels, detectors = (fresh.results() / "report" / "ablation.md").read_text().split("## Detec")
    assert all(f"**{name}**" in labels for name in report["variants"])
    assert all(f"**{name}**" in detectors for name in report["detectors"])


def test_boxcaseg_on_files_ends_with_labels_and_a_scored_detector(
    fresh: Workspace, scenes: dict[str, Any]
) -> None:
    _write_salient(fresh.folder, 3)
    salient = {"salient": {"images": "salient/images", "masks": "salient/masks"}}
    small = {"dataset": merged(scenes, salient), "propose": {"boxcaseg": SMALL_CROPS}}
    fresh.configure(merged(SMALL, ON_FILES, small, {"variant": "boxcaseg"}))
    run_recipe(fresh, "boxcaseg")
    metrics = json.loads((fresh.results() / "boxcaseg/evaluate/metrics.json").read_text())
    assert metrics["counts"]["scored"] == metrics["pseudo_labels"]["annotations"] > 0
    assert metrics["detector"]["images"] == 2


def test_the_demo_of_sim_ends_with_its_tables(fresh: Workspace) -> None:
    world = {"source": "partworld", "partworld": {"train": 4, "val": 1}}
    report = {"variants": ["base", "sim"], "detectors": [], "seeds": [0], "detector_seeds": []}
    more = {"dataset": world, "report": report, "propose": {"sim": SMALL_TEACHER}}
    fresh.configure(merged(SMALL, more, {"variant": "sim"}))
    run_recipe(fresh, "sim_demo", "ablation")
    table = (fresh.results() / "report" / "ablation.md").read_text()
    assert all(f"**{name}**" in table for name in report["variants"])
    assert "label AP" in table
    assert (fresh.results() / "seed-0/sim/round-2/fit_propose/model.pt").is_file()


def test_sim_on_files_ends_with_labels_and_a_scored_detector(
    fresh: Workspace, scenes: dict[str, Any]
) -> None:
    small = {"dataset": scenes, "propose": {"sim": SMALL_TEACHER}, "rounds": 2}
    fresh.configure(merged(SMALL, ON_FILES, small, {"variant": "sim"}))
    run_recipe(fresh, "sim")
    metrics = json.loads((fresh.results() / "sim/round-2/evaluate/metrics.json").read_text())
    assert metrics["counts"]["scored"] == metrics["pseudo_labels"]["annotations"] > 0
    assert metrics["detector"]["images"] == 2


def _write_salient(folder: Path, count: int) -> None:
    """Images of one bright square each, with its mask, as DUTS lays them out."""
    for place in ("images", "masks"):
        (folder / "salient" / place).mkdir(parents=True)
    for at in range(count):
        mask = np.zeros((48, 64), np.uint8)
        mask[8 : 24 + at, 16 : 40 + at] = 255
        Image.fromarray(mask).save(folder / "salient" / "masks" / f"{at}.png")
        pixels = np.stack([mask // 2 + 60] * 3, axis=-1)
        Image.fromarray(pixels).save(folder / "salient" / "images" / f"{at}.jpg")
