"""A config with few keys, as complete as planning needs it, and plans of it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stages.planning.plan import Plan, plan_of

ROOT = Path(__file__).resolve().parents[1]
TRAINING = {"epochs": 8, "processes": 1}
FILES = {"images": "data/images", "annotations": "data/a.json", "format": "coco"}
VARIANTS: dict[str, Any] = {  # after Table 4 of the paper, and others that change earlier stages
    "top1": {"select": {"method": "sam_top1"}, "refine": {"method": "as_it_is"}},
    "pdg": {"refine": {"method": "as_it_is"}},
    "pnpg": {"refine": {"prm": {"bms": {"mode": "none"}}}},
    "full": {},
    "merged": {"of": "full", "export": {"transforms": [{"name": "merge_smaller"}]}},
    "paste": {"of": "full", "over": "full", "train": {"iterations": 7}},
    "whole": {"of": "full", "propose": {"clean": 0.0}},
    "whole_top1": {"of": "top1", "propose": {"clean": 0.0}},
    "centred": {"of": "full", "prepare": {"point": "quasi_center"}},
    "joint": {"of": "full", "refine": {"prm": {"fit": "joint"}}},
    "truth": {"of": "fully_supervised", "train": {"iterations": 9}},
}


def config(**changes: Any) -> dict[str, Any]:
    """The config; `select__psm__loss_weight=0.5` changes one key."""
    values: dict[str, Any] = {
        "run": "r",
        "variant": "v",
        "rounds": 1,
        "again": {},
        "seed": 5,
        "shards": 2,
        "device": "cpu",
        "dataset": {
            **{"source": "partworld", "train": None, "val": None, "ground_truth": True},
            **{"watch": "content", "salient": None, "partworld": {"salient": 0}},
        },
        "prepare": {"labels": "point", "point": "uniform"},
        "fit_prompt": {"model": None, "network": "conv", "conv": {}, "vit": {}, "p2b": {}},
        "prompt": {"sources": [{"source": "labels"}]},
        "propose": {
            "segmenter": "sam",
            "clean": 0.25,
            "sam": {"checkpoint": "workflow/resources/vit_tiny.pth", "sha256": None},
        },
        "select": {
            "method": "psm",
            "chunk": 256,
            "psm": {
                "features": {"source": "sam", "weights": None, "weights_sha256": None},
                "quality_exponent": 2.0,
                "training": TRAINING,
            },
        },
        "refine": {
            "method": "prm",
            "zoom": {"enabled": False},
            "chunk": 256,
            "prm": {
                "fit": "staged",
                "bms": {"mode": "paper", "stages": ["prm"]},
                "training": TRAINING,
            },
            "as_it_is": {"bms": {"mode": "none"}},
        },
        "grade": {"method": "own", "model": None},
        "export": {"transforms": [], "formats": ["coco_rle"], "category_ids": "keep"},
        "train": {
            **{"enabled": True, "engine": "torchvision", "iterations": 3},
            **{"weights": None, "weights_sha256": None, "config": None, "evaluate_every": 0},
        },
        "predict": {"score": 0.05, "chunk": 256},
        "evaluate": {"group_cover": 0.5},
        "report": {
            **{"cards": 10, "picture": 64},
            "variants": ["top1", "pdg", "pnpg", "full"],
            "seeds": [1, 2],
            "detectors": [],
            "detector_seeds": [],
        },
        "review": {"labels": 10, "images": 5},
        "label_cost": {"variants": [], "seeds": [], "seconds": {}},
        "variants": VARIANTS,
    }
    filled: dict[str, Any] = json.loads(json.dumps(values))
    for dotted, value in changes.items():
        *path, last = dotted.split("__")
        node = filled
        for key in path:
            node = node[key]
        node[last] = value
    return filled


def compared(*names: str, detectors: tuple[str, ...] = ()) -> Mapping[str, Any]:
    """Changes that compare these variants, with one detector each of the others."""
    seeds = [1] if detectors else []
    return {
        "report__variants": list(names),
        "report__detectors": list(detectors),
        "report__detector_seeds": seeds,
    }


def plan(*, root: Path = ROOT, **changes: Any) -> Plan:
    """The plan of that config."""
    return plan_of(config(**changes), root=root)
