"""One tiny run per recipe: its methods as they are, on four scenes, with small networks."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from tests.onnx_file import write_onnx
from tests.workflow.tag_runs import VARIANT, tiny_from_tags
from tests.workflow.workspace import ROOT, TINY, Outcome, Workspace, merged

SMALL: dict[str, Any] = {  # lies over a recipe: sizes and files, no method
    **TINY,
    "shards": 1,
    "variant": "sapnet",
    "device": "cpu",
    "threads": 1,
}
TRAINING = {
    **{"epochs": 1, "batch_images": 2, "warmup": 0, "checkpoint_every": 100},
    **{"workers": 0, "processes": 1},
}
ON_FILES: dict[str, Any] = {
    "propose": {
        "sam": {
            "model": "vit_tiny",
            "checkpoint": "workflow/resources/vit_tiny.pth",
            "precision": "float32",
            "prompts_per_batch": 8,
        },
    },
    "select": {
        "psm": {
            "features": {
                **{"channels": 8, "hidden": 16, "roi_size": 3, "weights": None},
                **{"short_side": 64, "long_side": 64},
            },
            "training": TRAINING,
        },
    },
    "refine": {"prm": {"npg": {"background": 20}, "training": TRAINING}},
    "train": {
        **{"backbone": "resnet18", "norm": "group", "weights": None},
        **{"workers": 0, "processes": 1},
    },
}
OF_TAGS: dict[str, Any] = {  # the same for WeakSAM's paper: a ViT, VGG-16 and MIST, all small
    "fit_prompt": {
        "vit": {
            **{"depth": 2, "dim": 24, "heads": 2, "side": 64, "weights": None},
            **{"short_side": 64, "long_side": 64, "training": TRAINING},
        },
    },
    "prompt": {
        "sources": [
            {"source": "grid", "side": 3},
            {"source": "clues", "maps": ["fine", "coarse", "cross"], "cross_kernel": 65},
        ]
    },
    "select": {
        "mist": {
            "min_side": 2,
            "features": {
                **{"hidden": 16, "roi_size": 3, "weights": None},
                **{"short_side": 64, "long_side": 64},
            },
            "training": TRAINING,
        },
    },
    "train": {"short_side": 64, "long_side": 64, "roi_drop": {"start": 1}},
}
COMPARED: dict[str, dict[str, list[Any]]] = {  # of each comparison's recipe, a corner
    "benchmark": {"variants": ["sam_top1", "full"], "detectors": []},
    "retention": {"variants": ["sam_top1"], "detectors": ["sam_top1", "fully_supervised"]},
    "selection": {"variants": ["best_joint", "kept"], "detectors": []},
    "tables": {"variants": ["table5_50_40", "table8_30_30"], "detectors": []},
    "detectors": {"variants": ["full", "full_merged"], "detectors": ["full_drop", "truth_paste"]},
    "sapnet_p2b": {"variants": ["points", "p2b"], "detectors": []},
    "grading": {"variants": ["points", "boxes_sam"], "detectors": []},
}


def _run(workspace: Workspace, name: str, *targets: str) -> Outcome:
    over = ("weaksam",) if name in ("weaksam_voc2012", "weaksam_coco2014") else ()
    recipes = [f"workflow/recipes/{own}.yaml" for own in (*over, name)]
    flags = ("--configfile", *recipes, "mine.yaml", *(["--", *targets] if targets else []))
    folder = str(workspace.folder)
    outcome = workspace.snakemake(*flags, COCO_TINY=folder, PHOTOS=folder)
    assert outcome.code == 0, outcome.text
    return outcome


@pytest.fixture
def scenes(finished: Workspace, fresh: Workspace) -> dict[str, Any]:
    """Section `dataset` that names the scenes of the tiny run, four to label and two held out."""
    for split, count in (("train", 4), ("val", 2)):
        folder = finished.results() / "partworld" / split
        (fresh.folder / split).symlink_to(folder / "images")
        coco = json.loads((folder / "annotations.json").read_text())
        coco["images"] = coco["images"][:count]
        ids = {image["id"] for image in coco["images"]}
        coco["annotations"] = [a for a in coco["annotations"] if a["image_id"] in ids]
        (fresh.folder / f"{split}.json").write_text(json.dumps(coco))
    splits = {
        split: {"images": split, "annotations": f"{split}.json"} for split in ("train", "val")
    }
    return {"source": "files", **splits}


@pytest.mark.parametrize("name", ["sapnet", "coco2017", "voc2012", "coco_tiny"])
def test_a_recipe_on_files_ends_with_labels_and_a_scored_detector(
    name: str, fresh: Workspace, scenes: dict[str, Any]
) -> None:
    fresh.configure(merged(SMALL, ON_FILES, {"dataset": scenes}))
    _run(fresh, name)
    metrics = json.loads((fresh.results() / "sapnet/evaluate/metrics.json").read_text())
    assert metrics["counts"]["images"] == 4
    assert metrics["counts"]["scored"] == metrics["pseudo_labels"]["annotations"] > 0
    assert metrics["detector"]["images"] == 2


@pytest.mark.parametrize("name", COMPARED)
def test_a_comparison_ends_with_its_tables(name: str, fresh: Workspace) -> None:
    report = {**COMPARED[name], "seeds": [0], "detector_seeds": [0]}
    world = {"source": "partworld", "partworld": {"train": 4, "val": 1}}
    boxes = {"p2b": {"features": {"channels": 8, "hidden": 16}, "training": TRAINING}}
    more = {"dataset": world, "report": report, "variants": _early(name), "fit_prompt": boxes}
    fresh.configure(merged(SMALL, more))
    _run(fresh, name, "ablation")
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


@pytest.mark.parametrize(
    ("name", "variants"),
    [("photographs", ["sam_top1", "zoomed"]), ("grading_photographs", ["points", "boxes_sam"])],
)
def test_a_comparison_on_files_ends_with_its_tables_by_size(
    name: str, variants: list[str], fresh: Workspace, scenes: dict[str, Any]
) -> None:
    report = {"variants": variants, "seeds": [0]}
    fresh.configure(merged(SMALL, ON_FILES, {"dataset": scenes, "report": report}))
    _run(fresh, name, "ablation")
    folder = fresh.results() / "report"
    table = (folder / "ablation.md").read_text().split("## By size of object")[1].split("## ")[0]
    assert all(f"**{variant}**" in table for variant in variants)
    numbers = json.loads((folder / "ablation.json").read_text())
    assert len(numbers["sizes"]) == 5
    assert sum(counts[0] for counts in numbers["sizes"].values()) == numbers["objects"][0] > 0


LAID_OVER = [
    pytest.param(f"weaksam_{name}", marks=pytest.mark.long) for name in ("voc2012", "coco2014")
]


@pytest.mark.parametrize("name", ["weaksam", *LAID_OVER])
def test_the_paper_on_tags_ends_with_labels_and_a_scored_detector(
    name: str, fresh: Workspace, scenes: dict[str, Any]
) -> None:
    coco = {
        split: {**paths, "format": "coco"} for split, paths in scenes.items() if paths != "files"
    }
    changes = {"dataset": {"source": "files", **coco}}
    fresh.configure(merged(SMALL, ON_FILES, OF_TAGS, changes))
    _run(fresh, name)
    metrics = json.loads((fresh.results() / "sapnet/evaluate/metrics.json").read_text())
    assert metrics["tags"]["tags"] > 0
    assert metrics["pseudo_labels"]["annotations"] >= metrics["tags"]["tags"]
    assert metrics["detector"]["images"] == 2


def test_the_demo_of_tags_ends_with_a_scored_detector(from_tags: Workspace) -> None:
    from_tags.configure(tiny_from_tags({"train": {"enabled": True}}))
    outcome = from_tags.snakemake()
    assert outcome.code == 0, outcome.text
    jobs = {"partworld": 1, "train": 1, "predict_held_out": 1, "evaluate": 1, "report": 1}
    assert outcome.jobs() == jobs
    metrics = json.loads((from_tags.results() / VARIANT / "evaluate/metrics.json").read_text())
    assert metrics["pseudo_labels"]["annotations"] > 0
    assert metrics["detector"]["images"] == 2


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
    _run(fresh, "sam_box_demo", "ablation")
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
    _run(fresh, "sam_box")
    metrics = json.loads((fresh.results() / "sam_box/evaluate/metrics.json").read_text())
    assert metrics["counts"]["scored"] == metrics["pseudo_labels"]["annotations"] > 0
    assert metrics["detector"]["images"] == 2


SMALL_CROPS: dict[str, Any] = {
    **{"backbone": "small", "checkpoint": None, "channels": 4, "size": 32},
    "training": {
        **{"epochs": 1, "batch_images": 4, "size": 32, "size_salient": 40},
        "workers": 0,
    },
}


def test_the_demo_of_boxcaseg_ends_with_its_tables(fresh: Workspace) -> None:
    world = {"source": "partworld", "partworld": {"train": 4, "val": 1, "salient": 4}}
    report = {
        "variants": ["filled", "boxcaseg", "weak_only", "merged"],
        "detectors": ["boxcaseg", "merged"],
        **{"seeds": [0], "detector_seeds": [0]},
    }
    more = {"dataset": world, "report": report, "propose": {"boxcaseg": SMALL_CROPS}}
    fresh.configure(merged(SMALL, more, {"variant": "boxcaseg"}))
    _run(fresh, "boxcaseg_demo", "ablation")
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
    _run(fresh, "boxcaseg")
    metrics = json.loads((fresh.results() / "boxcaseg/evaluate/metrics.json").read_text())
    assert metrics["counts"]["scored"] == metrics["pseudo_labels"]["annotations"] > 0
    assert metrics["detector"]["images"] == 2


SMALL_TEACHER: dict[str, Any] = {
    **{"backbone": "small", "checkpoint": None, "channels": 64, "head_convs": 1, "stride": 4},
    **{"mask_convs": 1, "mask_channels": 8, "size": 64, "long_side": 96},
    "training": {
        **{"epochs": 1, "batch_images": 2, "sizes": 64, "pairwise_warmup": 1},
        **{"workers": 0, "warmup": 0, "ema": 0.5},
    },
}


def test_the_demo_of_sim_ends_with_its_tables(fresh: Workspace) -> None:
    world = {"source": "partworld", "partworld": {"train": 4, "val": 1}}
    report = {"variants": ["base", "sim"], "detectors": [], "seeds": [0], "detector_seeds": []}
    more = {"dataset": world, "report": report, "propose": {"sim": SMALL_TEACHER}}
    fresh.configure(merged(SMALL, more, {"variant": "sim"}))
    _run(fresh, "sim_demo", "ablation")
    table = (fresh.results() / "report" / "ablation.md").read_text()
    assert all(f"**{name}**" in table for name in report["variants"])
    assert "label AP" in table
    assert (fresh.results() / "seed-0/sim/round-2/fit_propose/model.pt").is_file()


def test_sim_on_files_ends_with_labels_and_a_scored_detector(
    fresh: Workspace, scenes: dict[str, Any]
) -> None:
    small = {"dataset": scenes, "propose": {"sim": SMALL_TEACHER}, "rounds": 2}
    fresh.configure(merged(SMALL, ON_FILES, small, {"variant": "sim"}))
    _run(fresh, "sim")
    metrics = json.loads((fresh.results() / "sim/round-2/evaluate/metrics.json").read_text())
    assert metrics["counts"]["scored"] == metrics["pseudo_labels"]["annotations"] > 0
    assert metrics["detector"]["images"] == 2


def test_a_second_look_ends_with_its_tables(fresh: Workspace) -> None:
    report = {"variants": ["once", "selective", "majority"], "seeds": [0]}
    report |= {"detectors": ["selective"], "detector_seeds": [0]}
    world = {"source": "partworld", "partworld": {"train": 4, "val": 1}}
    fresh.configure(merged(SMALL, {"dataset": world, "report": report, "variant": "selective"}))
    _run(fresh, "relabel", "ablation")
    labels, detectors = (fresh.results() / "report" / "ablation.md").read_text().split("## Detec")
    assert all(f"**{name}**" in labels for name in report["variants"])
    assert "**selective**" in detectors


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


def test_every_recipe_has_its_tiny_run() -> None:
    names = {path.stem for path in (ROOT / "workflow" / "recipes").glob("*.yaml")}
    on_files = {"sapnet", "coco2017", "voc2012", "coco_tiny", "photographs", "grading_photographs"}
    of_tags = {"weaksam", "weaksam_voc2012", "weaksam_coco2014", "weaksam_demo"}
    of_boxes = {"sam_box", "sam_box_demo", "boxcaseg", "boxcaseg_demo"}
    of_rounds = {"relabel", "sim", "sim_demo"}
    assert names == {*on_files, *of_tags, *of_boxes, *of_rounds, *COMPARED}
