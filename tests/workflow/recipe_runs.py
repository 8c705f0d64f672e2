"""How a recipe is run in seconds: its methods as they are, on four scenes, with small networks."""

from typing import Any

from tests.workflow.workspace import TINY, Outcome, Workspace

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
SMALL_TEACHER: dict[str, Any] = {
    **{"backbone": "small", "checkpoint": None, "channels": 64, "head_convs": 1, "stride": 4},
    **{"mask_convs": 1, "mask_channels": 8, "size": 64, "long_side": 96},
    "training": {
        **{"epochs": 1, "batch_images": 2, "sizes": 64, "pairwise_warmup": 1},
        **{"workers": 0, "warmup": 0, "ema": 0.5},
    },
}


def run_recipe(workspace: Workspace, name: str, *targets: str) -> Outcome:
    """A recipe's run in a workspace whose settings lie over it; it ends well."""
    over = ("weaksam",) if name in ("weaksam_voc2012", "weaksam_coco2014") else ()
    recipes = [f"workflow/recipes/{own}.yaml" for own in (*over, name)]
    flags = ("--configfile", *recipes, "mine.yaml", *(["--", *targets] if targets else []))
    folder = str(workspace.folder)
    outcome = workspace.snakemake(*flags, COCO_TINY=folder, PHOTOS=folder)
    assert outcome.code == 0, outcome.text
    return outcome
