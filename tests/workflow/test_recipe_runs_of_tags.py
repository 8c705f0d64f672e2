"""One tiny run of each recipe on image tags."""

import json
from typing import Any

import pytest

from tests.workflow.recipe_runs import ON_FILES, SMALL, TRAINING, run_recipe
from tests.workflow.tag_runs import VARIANT, tiny_from_tags
from tests.workflow.workspace import Workspace, merged

OF_TAGS: dict[str, Any] = {  # lies over WeakSAM's paper: a ViT, VGG-16 and MIST, all small
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
    run_recipe(fresh, name)
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
