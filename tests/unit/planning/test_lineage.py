"""What decides the files of a stage."""

from pathlib import Path
from typing import Any

import pytest

from stages.planning.lineage import STAGES, Variants
from stages.planning.links import Links
from stages.planning.plan import variants_of
from stages.settings.judge import judged
from tests.small_config import ROOT, compared, config


def _variants(**changes: Any) -> Variants:
    return variants_of(config(**changes), root=ROOT, links=Links(Path("results/r")))


def _first_other(variants: Variants, one: str, other: str) -> str | None:
    return next((s for s in STAGES if variants.lineage(one, s) != variants.lineage(other, s)), None)


CHANGES = [  # what a variant changes; the first stage with other files
    ({}, None),
    ({"train": {"iterations": 1}}, "train"),
    ({"predict": {"score": 0.5}}, "predict"),
    ({"prepare": {"point": "quasi_center"}}, "prepare"),
    ({"prompt": {"sources": [{"source": "labels"}, {"source": "labels"}]}}, "prompt"),
    ({"propose": {"clean": 0.5}}, "propose"),
    ({"select": {"psm": {"training": {"epochs": 1}}}}, "fit_select"),
    ({"select": {"psm": {"quality_exponent": 0.0}}}, "select"),
    ({"select": {"chunk": 1}}, "select"),
    ({"refine": {"prm": {"training": {"epochs": 1}}}}, "fit_refine"),
    ({"refine": {"prm": {"bms": {"mode": "none"}}}}, "refine"),
    ({"refine": {"prm": {"bms": {"stages": ["psm", "prm"]}}}}, "fit_refine"),
    ({"refine": {"zoom": {"enabled": True}}}, "refine"),
    ({"refine": {"as_it_is": {"bms": {"mode": "code"}}}}, None),  # a method that is not chosen
    ({"refine": {"prm": {"fit": "joint"}}}, "fit_select"),
    ({"export": {"transforms": [{"name": "merge_smaller"}]}}, "export"),
    ({"export": {"formats": ["voc"], "category_ids": "from_one"}}, None),  # convert alone
]


@pytest.mark.parametrize(("change", "stage"), CHANGES, ids=[str(c) for c, _ in CHANGES])
def test_a_change_concerns_its_stage_and_those_after_it(
    change: dict[str, Any], stage: str | None
) -> None:
    variants = _variants(variants={"full": {}, "other": change}, **compared("full", "other"))
    assert _first_other(variants, "full", "other") == stage


LOOKING: dict[str, Any] = {"sources": [{"source": "grid"}, {"source": "clues"}]}
OF_CLUES = [  # what a variant changes where a prompter looks; the first stage with other files
    ({"fit_prompt": {"conv": {"training": {"epochs": 3}}}}, "fit_prompt"),
    ({"fit_prompt": {"model": "README.md"}}, "fit_prompt"),
    ({"fit_prompt": {"vit": {"depth": 3}}}, None),  # a network that is not chosen
    ({"prompt": {"sources": [{"source": "grid", "side": 5}, {"source": "clues"}]}}, "prompt"),
    ({"propose": {"sam": {"precision": "bfloat16"}}}, "fit_prompt"),  # they look through it
    ({"propose": {"clean": 0.5}}, "propose"),
    ({"propose": {"grid": {"nms": 0.5}}}, "propose"),
]


@pytest.mark.parametrize(("change", "stage"), OF_CLUES, ids=[str(c) for c, _ in OF_CLUES])
def test_a_change_of_clues_concerns_prompts_and_all_behind(
    change: dict[str, Any], stage: str | None
) -> None:
    report = {"variants": ["full", "other"], "detectors": []}
    named = {"full": {}, "other": change}
    found = judged({"prompt": LOOKING, "report": report, "variants": named})
    variants = variants_of(found, root=ROOT, links=Links(Path("results/r")))
    assert _first_other(variants, "full", "other") == stage


POINTS = {"prompt": {"sources": [{"source": "labels"}]}}
OF_BOXES = [  # the same with P2BNet
    ({"fit_prompt": {"p2b": {"training": {"epochs": 3}}}}, "fit_prompt"),
    ({"fit_prompt": {"p2b": {"finer": {"negatives": 3}}}}, "fit_prompt"),
    ({"fit_prompt": {"conv": {"layers": 1}}}, None),
    ({"prompt": {"sources": [{"source": "labels"}, {"source": "p2b", "rounds": 2}]}}, "prompt"),
    (POINTS, "fit_prompt"),
    ({"propose": {"sam": {"precision": "bfloat16"}}}, "fit_prompt"),
]


@pytest.mark.parametrize(("change", "stage"), OF_BOXES, ids=[str(c) for c, _ in OF_BOXES])
def test_a_change_of_p2bnet_concerns_prompts_and_all_behind(
    change: dict[str, Any], stage: str | None
) -> None:
    report = {"variants": ["full", "other"], "detectors": []}
    named = {"full": {}, "other": change}
    p2b = {"prompt": {"sources": [{"source": "labels"}, {"source": "p2b"}]}}
    own = {**p2b, "fit_prompt": {"network": "p2b"}}
    found = judged({**own, "report": report, "variants": named})
    variants = variants_of(found, root=ROOT, links=Links(Path("results/r")))
    assert _first_other(variants, "full", "other") == stage


def test_without_a_prompter_that_looks_nothing_of_clues_matters() -> None:
    change = {"fit_prompt": {"network": "vit"}}
    variants = _variants(variants={"full": {}, "other": change}, **compared("full", "other"))
    assert _first_other(variants, "full", "other") is None
    assert not variants.learns("full", "fit_prompt")
    assert not variants.learns("full", "prompt")


def test_a_joint_training_reads_what_the_selection_at_that_step_depends_on() -> None:
    joint: dict[str, Any] = {"refine": {"prm": {"fit": "joint"}}}
    other = {**joint, "select": {"psm": {"quality_exponent": 0.0}}}
    variants = _variants(variants={"full": joint, "other": other}, **compared("full", "other"))
    assert _first_other(variants, "full", "other") == "fit_select"


LEARNS = [  # variant, has fit_select, has fit_refine
    ("top1", False, False),
    ("pdg", True, False),
    ("full", True, True),
    ("joint", True, False),
]


@pytest.mark.parametrize(("name", "select", "refine"), LEARNS)
def test_only_what_learns_has_a_fit(name: str, select: bool, refine: bool) -> None:
    variants = _variants(**compared("top1", "pdg", "full", "joint"))
    assert variants.learns(name, "fit_select") == select
    assert variants.learns(name, "fit_refine") == refine
    assert variants.learns(name, "select")


def test_the_settings_of_a_variant_hold_its_own_methods_block_alone() -> None:
    variants = _variants(**compared("top1", "full"))
    assert "psm" not in variants.settings("top1", "select")
    assert variants.block("top1", "select") == {}
    assert variants.settings("full", "refine").keys() >= {"prm", "zoom"}
    assert "as_it_is" not in variants.settings("full", "refine")
    assert variants.block("full", "refine")["fit"] == "staged"


def test_the_first_compared_variant_with_the_same_labels_owns_them() -> None:
    variants = _variants(**compared("top1", "full", detectors=("paste", "merged")))
    assert variants.first_alike("paste", "export") == "full"
    assert variants.first_alike("full", "export") == "full"
    assert variants.first_alike("merged", "export") is None


def test_a_supervised_variant_differs_in_its_training_alone() -> None:
    truth = {"of": "fully_supervised", "prepare": {"point": "quasi_center"}, "train": {"lr": 1}}
    variants = _variants(variants={"truth": truth}, **compared(detectors=("truth",)))
    assert variants.supervised == ("truth", "fully_supervised")
    assert variants.settings("truth", "prepare")["point"] == "uniform"
    assert variants.settings("truth", "train")["lr"] == 1
