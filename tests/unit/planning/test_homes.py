import json
from typing import Any

import pytest

from stages.planning.comparison import comparison_of
from stages.planning.homes import Variants, without_seed
from stages.planning.plan import variants_of
from stages.settings.config import Config
from stages.settings.overrides import variant_config
from stages.settings.readers import for_fit
from stages.settings.section import to_values

CONFIG = to_values(Config())
NAMES = CONFIG["report"]["variants"]


def variants(**entries: Any) -> Variants:
    """The shipped variants, and further ones."""
    config = {**CONFIG, "variants": {**CONFIG["variants"], **entries}}
    names = [*NAMES, *entries]
    found = {name: variant_config(config, name) for name in (*names, "fully_supervised")}
    return Variants(found, names, seed=5, supervised=["fully_supervised"])


def plan_variants(**entries: Any) -> Variants:
    """As a config with these detectors has them."""
    report = {**CONFIG["report"], "detectors": list(entries)}
    named = {**CONFIG["variants"], **entries}
    return variants_of({**CONFIG, "variants": named, "report": report})


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


def test_what_is_compared_by_its_detector_alone_learns_from_the_labels_of_another() -> None:
    found = plan_variants(
        paste={"of": "full", "train": {"copy_paste": {"enabled": True}}},
        merged={"of": "full", "export": {"transforms": [{"name": "merge_smaller"}]}},
        truth={"of": "fully_supervised"},
    )
    labels = "export/pseudo_labels.json"
    assert found.made("b/seed-1", "paste", labels) == f"results/b/seed-1/full/{labels}"
    assert found.made("b", "paste/seed-1", labels) == f"results/b/full/seed-1/{labels}"
    assert found.made("b", "paste", labels) == f"results/b/paste/{labels}"  # a plain run
    assert found.labelled_by("full") == "full"
    assert found.labelled_by("merged") is None
    assert [name for name in ("full", "truth") if found.is_supervised(f"{name}/seed-1")] == [
        "truth"
    ]
    settings = json.loads(found.train_settings("paste/seed-1", "detectron2"))
    assert settings["copy_paste"]["enabled"]
    assert settings["engine"] == "detectron2"


def test_detectors_without_labels_among_the_variants_are_left_out() -> None:
    entries = {
        "paste": {"of": "full", "over": "full", "train": {"iterations": 7}},
        "merged": {"of": "full", "export": {"transforms": [{"name": "merge_smaller"}]}},
        "truth": {"of": "fully_supervised", "train": {"iterations": 7}},
    }
    names = ["full", "paste", "merged", "truth", "fully_supervised"]
    for truth, wanted in ((True, ["full", "paste", *names[3:]]), (False, ["full", "paste"])):
        config = {
            **CONFIG,
            "variants": {**CONFIG["variants"], **entries},
            "report": {**CONFIG["report"], "detectors": names},
            "dataset": {**CONFIG["dataset"], "ground_truth": truth},
        }
        comparison = comparison_of(config, variants_of(config), held_out=True)
        assert list(comparison.detectors) == wanted
        assert comparison.over["paste"] == "full"


def test_a_plain_run_shares_nothing() -> None:
    made = variants().made("b", "full", "fit_refine/model.pt")
    assert made == "results/b/full/fit_refine/model.pt"


def test_joint_training_makes_one_model_for_both() -> None:
    found = variants(joint={"of": "full", "refine": {"prm": {"fit": "joint"}}})
    model = ["results/b/seed-1/joint/fit_select/model.pt"]
    assert found.model("b/seed-1", "joint", "select") == model
    assert found.model("b/seed-1", "joint", "refine") == model
    assert found.model("b/seed-1", "sam_top1", "select") == []
    assert found.model("b/seed-1", "mil", "refine") == []
    assert [json.loads(text)["fit"] for text in found.joint_settings("joint")] == ["joint"]
    assert found.joint_settings("full") == []
    assert json.loads(found.fit_settings("joint", "select"))["psm"]["quality_exponent"] == 0
    assert "quality_exponent" not in json.loads(found.fit_settings("full", "select"))["psm"]


def test_a_training_does_not_depend_on_the_choice_afterwards() -> None:
    refine = CONFIG["refine"]
    prm = refine["prm"]
    assert "bms" not in for_fit("refine", refine)["prm"]
    other = {**refine, "prm": {**prm, "score": "sigmoid"}}
    assert for_fit("refine", other) == for_fit("refine", refine)
    mined = {**prm, "bms": {**prm["bms"], "stages": ["psm", "prm"]}}
    assert for_fit("refine", {**refine, "prm": mined})["prm"]["bms"] == mined["bms"]


def test_the_settings_of_a_variant_are_its_own() -> None:
    found = variants()
    assert json.loads(found.settings("mil/seed-1", "select"))["psm"]["pdg"]["apply"] == "none"
    assert json.loads(found.settings("pdg", "select"))["psm"]["pdg"]["exponent"] == 0.015
    assert json.loads(found.settings("best", "select"))["psm"]["pdg"]["exponent"] == 4.0


def test_the_comparison_runs_every_variant_with_every_seed() -> None:
    comparison = comparison_of(CONFIG, variants(), held_out=True)
    assert len(comparison.metrics()) == len(NAMES) * 3
    assert comparison.metrics()[1] == "results/demo/seed-1/sam_top1/evaluate/metrics.json"
    assert comparison.over["full"] == "pnpg"
    assert comparison.has_detector("demo", "sapnet")
    assert comparison.has_detector("demo/seed-0", "fully_supervised")
    assert not comparison.has_detector("demo/seed-0", "mil")
    assert not comparison.has_detector("demo/seed-1", "full")


def test_without_held_out_images_no_detector_is_trained() -> None:
    comparison = comparison_of(CONFIG, variants(), held_out=False)
    assert comparison.detector_metrics() == []
    assert not comparison.has_detector("demo", "sapnet")
