"""What `snakemake estimate` is told of a run."""

import json
from typing import Any

from tests.small_config import plan


def _facts(**changes: Any) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(plan(**changes).estimated(None))
    return facts


def test_a_drawn_run_tells_its_stages_and_their_homes() -> None:
    facts = _facts()
    homes = {stage["name"]: stage["home"] for stage in facts["stages"]}
    names = "partworld prepare propose fit_select select fit_refine refine grade export train"
    assert list(homes) == [*names.split(), "predict_held_out", "evaluate", "report"]
    assert (homes["propose"], homes["train"], homes["predict_held_out"]) == ("r", "r/v", "r/v")
    jobs = {stage["name"]: stage["jobs"] for stage in facts["stages"]}
    assert (jobs["propose"], jobs["fit_select"], jobs["refine"]) == (2, 1, 2)
    assert facts["train"]["images"] == "results/r/partworld/train/images"
    assert "{" not in json.dumps([facts["train"], facts["held_out"]]).replace('{"', "")


def test_a_method_alone_tells_its_keys() -> None:
    assert set(_facts()["settings"]["select"]) == {"method", "chunk", "psm"}


def test_a_run_without_a_detector_has_none() -> None:
    names = {stage["name"] for stage in _facts(train__enabled=False)["stages"]}
    assert not names & {"train", "predict_held_out"}


def test_one_training_of_two_networks_is_one() -> None:
    joint = {"fit": "joint", "bms": {"mode": "paper", "stages": ["prm"]}, "training": {}}
    names = {stage["name"] for stage in _facts(refine__prm=joint)["stages"]}
    assert "fit_refine" not in names


def test_of_several_rounds_the_first_is_told() -> None:
    again = {"refine": {"method": "relabel", "zoom": {"enabled": True}}}
    twice = {"twice": {"rounds": 2, "again": again}}
    block = {"rule": "selective", "mask": "close_up", "overlap": 0.7}
    facts = _facts(variants=twice, variant="twice", refine__relabel=block, report__variants=[])
    assert (facts["rounds"], facts["variant"]) == (2, "twice")
    assert facts["settings"]["refine"]["method"] == "prm"
