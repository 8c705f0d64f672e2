import json
from typing import Any

import pytest

from stages.files.comparison import comparison_of
from stages.files.variants import Variants, for_fit, without_seed
from stages.settings.config import Config
from stages.settings.overrides import variant_config
from stages.settings.section import to_values

CONFIG = to_values(Config())
NAMES = CONFIG["report"]["variants"]


def variants(**entries: Any) -> Variants:
    """The shipped variants, and further ones."""
    config = {**CONFIG, "variants": {**CONFIG["variants"], **entries}}
    names = [*NAMES, *entries]
    return Variants({name: variant_config(config, name) for name in names}, names, seed=5)


def test_the_seed_is_in_the_name_of_the_run_or_of_the_variant() -> None:
    found = variants()
    assert found.seed_of("bench") == 5
    assert found.seed_of("bench/seed-3") == 3
    assert found.seed_of("bench", "full/seed-12") == 12
    assert without_seed("full/seed-12") == ("full", "/seed-12")
    assert without_seed("full") == ("full", "")


SHARED = [  # by hand from Table 4 of the paper: what differs only in a later component
    ("full", "fit_refine/model.pt", "pnpg"),
    ("pnpg", "fit_refine/model.pt", "pnpg"),
    ("full", "refine/shard-0000-of-0001.parquet", "full"),
    ("mil2", "select/shard-0000-of-0001.parquet", "mil2"),
    ("npg", "fit_select/model.pt", "pdg"),
    ("npg", "fit_refine/model.pt", "npg"),
    ("code", "fit_select/model.pt", "code"),
    ("mil", "fit_select/model.pt", "mil"),
    ("best", "fit_select/model.pt", "guided"),
    ("best", "fit_refine/model.pt", "negatives"),
    ("full", "export/pseudo_labels.json", "full"),
]


@pytest.mark.parametrize(("variant", "name", "owner"), SHARED)
def test_an_ablation_shares_trainings_that_are_alike(variant: str, name: str, owner: str) -> None:
    assert variants().made("b/seed-1", variant, name) == f"results/b/seed-1/{owner}/{name}"
    seeded = variants().made("b", f"{variant}/seed-1", name)
    assert seeded == f"results/b/{owner}/seed-1/{name}"


def test_a_plain_run_shares_nothing() -> None:
    made = variants().made("b", "full", "fit_refine/model.pt")
    assert made == "results/b/full/fit_refine/model.pt"


def test_joint_training_makes_one_model_for_both() -> None:
    found = variants(joint={"of": "full", "refine": {"fit": "joint"}})
    model = ["results/b/seed-1/joint/fit_select/model.pt"]
    assert found.model("b/seed-1", "joint", "select") == model
    assert found.model("b/seed-1", "joint", "refine") == model
    assert found.model("b/seed-1", "sam_top1", "select") == []
    assert found.model("b/seed-1", "mil", "refine") == []
    assert [json.loads(text)["fit"] for text in found.joint_settings("joint")] == ["joint"]
    assert found.joint_settings("full") == []
    assert json.loads(found.fit_settings("joint", "select"))["quality_exponent"] == 0
    assert "quality_exponent" not in json.loads(found.fit_settings("full", "select"))


def test_a_training_does_not_depend_on_the_choice_afterwards() -> None:
    refine = CONFIG["refine"]
    assert "bms" not in for_fit(refine, "refine")
    assert for_fit({**refine, "score": "sigmoid"}, "refine") == for_fit(refine, "refine")
    mined = {**refine, "bms": {**refine["bms"], "stages": ["psm", "prm"]}}
    assert for_fit(mined, "refine")["bms"] == mined["bms"]


def test_the_settings_of_a_variant_are_its_own() -> None:
    found = variants()
    assert json.loads(found.settings("mil/seed-1", "select"))["pdg"]["apply"] == "none"
    assert json.loads(found.settings("pdg", "select"))["pdg"]["exponent"] == 0.015
    assert json.loads(found.settings("best", "select"))["pdg"]["exponent"] == 4.0


def test_the_comparison_runs_every_variant_with_every_seed() -> None:
    comparison = comparison_of(CONFIG, held_out=True)
    assert len(comparison.metrics()) == len(NAMES) * 3
    assert comparison.metrics()[1] == "results/demo/seed-1/sam_top1/evaluate/metrics.json"
    assert comparison.over["full"] == "pnpg"
    assert comparison.has_detector("demo", "sapnet")
    assert comparison.has_detector("demo/seed-0", "fully_supervised")
    assert not comparison.has_detector("demo/seed-0", "mil")
    assert not comparison.has_detector("demo/seed-1", "full")


def test_without_held_out_images_no_detector_is_trained() -> None:
    comparison = comparison_of(CONFIG, held_out=False)
    assert comparison.detector_metrics() == []
    assert not comparison.has_detector("demo", "sapnet")
