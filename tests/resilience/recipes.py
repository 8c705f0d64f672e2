"""The smallest runs that go through all stages, by the labels that they start from."""

from importlib.util import find_spec
from typing import Any

import yaml

from tests.workflow.recipe_runs import SMALL_TEACHER
from tests.workflow.round_runs import TWICE
from tests.workflow.tag_runs import RECIPE as OF_TAGS
from tests.workflow.tag_runs import SMALL as SMALL_TAGS
from tests.workflow.test_caseg_run import RECIPE as OF_CROPS
from tests.workflow.test_caseg_run import SMALL as SMALL_CROPS
from tests.workflow.workspace import ROOT, TINY, merged

RECIPES = ROOT / "workflow" / "recipes"
LESS: dict[str, Any] = {"shards": 2, "dataset": {"partworld": {"train": 6, "val": 2}}}
ONE_TRAINING = {"variants": [], "detectors": [], "detector_seeds": []}


def _recipe(name: str) -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load((RECIPES / f"{name}.yaml").read_text())
    return values


def runs() -> dict[str, dict[str, Any]]:
    """Settings by name; the run is called `tiny` in each."""
    boxes = {"train": {"enabled": False}, "run": "tiny"}
    crossed = {
        **{"variant": "crossed", "rounds": 2, "report": {**ONE_TRAINING, "variants": ["crossed"]}},
        "again": {"refine": {"method": "relabel", "relabel": {"cross_fit": True}}},
    }
    detectron2 = {"train": {"engine": "detectron2", "fpn_channels": 64}}
    teacher = {"propose": {"sim": SMALL_TEACHER}, "report": {**ONE_TRAINING, "variants": ["sim"]}}
    return {
        "points": merged(TINY, LESS),
        "tags": merged(TINY, yaml.safe_load(OF_TAGS.read_text()), SMALL_TAGS, LESS),
        "boxes": merged(TINY, _recipe("sam_box_demo"), boxes, LESS),
        "BoxCaseg": merged(TINY, yaml.safe_load(OF_CROPS.read_text()), SMALL_CROPS),
        "SIM": merged(TINY, _recipe("sim_demo"), boxes, teacher, {"variant": "sim"}, LESS),
        "rounds": merged(TINY, TWICE, LESS),
        "crossed": merged(TINY, crossed, LESS),
        **({"detectron2": merged(TINY, detectron2, LESS)} if find_spec("detectron2") else {}),
    }
