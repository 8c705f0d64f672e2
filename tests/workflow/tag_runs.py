"""The tiny run from image tags: its settings, the rules that it goes through, what comes out."""

import json
from typing import Any

import yaml

from tests.workflow.photographs import Coco, pointed
from tests.workflow.workspace import ROOT, TINY, Workspace, merged

RECIPE = ROOT / "workflow" / "recipes" / "weaksam_demo.yaml"
VARIANT = "weaksam"
SHARDS = [f"shard-{number:04d}-of-0002.parquet" for number in range(2)]
TRAINING = {"epochs": 1, "batch_images": 2, "checkpoint_every": 1}
SMALL: dict[str, Any] = {  # lies over the recipe: sizes, no method
    "run": "tiny",
    "shards": 2,
    "dataset": {"partworld": {"train": 12, "val": 2}},
    "fit_prompt": {"conv": {"features": {"channels": 8}, "layers": 1, "training": TRAINING}},
    "prompt": {
        "sources": [
            {"source": "grid", "side": 2},
            {"source": "clues", "maps": ["coarse"], "threshold": 0.5, "most": 2},
        ]
    },
    "select": {
        "oicr": {
            "features": {"channels": 8, "hidden": 16, "roi_size": 3},
            "training": TRAINING,
        }
    },
    "train": {"enabled": False},
}
CHAIN = (  # each depends on all before it
    *("partworld", "prepare", "fit_prompt", "prompt", "propose"),
    *("fit_select", "select", "refine", "grade", "export", "evaluate", "report"),
)
UNTIL_EXPORT = CHAIN[1:-2]


def tiny_from_tags(*changes: dict[str, Any]) -> dict[str, Any]:
    """Settings of the tiny run from tags, with these changes."""
    return merged(TINY, yaml.safe_load(RECIPE.read_text()), SMALL, *changes)


def tagged(finished: Workspace) -> Coco:
    """The run's training file with one class for each object, and nothing else."""
    coco = pointed(finished)
    for annotation in coco["annotations"]:
        del annotation["point"]
    return coco


def on_files(workspace: Workspace, *changes: dict[str, Any]) -> None:
    """Set the workspace up to learn from tags in its own files; nothing is scored by a truth."""
    split = {"images": "photographs", "annotations": "labels.json"}
    files = {"source": "files", "train": split, "ground_truth": False}
    workspace.configure(tiny_from_tags({"dataset": files}, *changes))


def another_tag(coco: Coco) -> dict[str, Any]:
    """A class that the first labelled image does not have, as an annotation of it."""
    image_id = coco["annotations"][0]["image_id"]
    own = {a["category_id"] for a in coco["annotations"] if a["image_id"] == image_id}
    (other, *_) = (c["id"] for c in coco["categories"] if c["id"] not in own)
    return {"id": 9999, "image_id": image_id, "category_id": other}


def exported(workspace: Workspace) -> dict[str, Any]:
    """The exported file."""
    path = workspace.results() / VARIANT / "export" / "pseudo_labels.json"
    data: dict[str, Any] = json.loads(path.read_text())
    return data
