"""What `snakemake label_cost` runs, what it shares, and what keeps it from running."""

from typing import Any

import pytest

from stages.planning.homes import Case
from stages.planning.plan import Plan, plan_of
from stages.settings.judge import judged
from stages.settings.label_cost import KINDS
from stages.settings.overrides import laid_over
from stages.settings.recipes import with_recipes
from tests.small_config import FILES, ROOT, compared, plan

NAMES = ("pnpg", "full", "truth")
JUDGED = {"evaluate__match": "auto", "train__multi_mask": {"enabled": False}}  # keys of the rules


def _plan(*names: str, **changes: Any) -> Plan:
    """The plan of the small config that compares these with the seeds 7 and 8."""
    cost = {"variants": list(names), "seeds": [7, 8], "seconds": {}}
    return plan(label_cost=cost, **JUDGED, **changes)


def _whole(**changes: Any) -> Plan:
    """The plan of the default config with these changes."""
    shipped = with_recipes({"variants": KINDS}, ROOT)
    return plan_of(judged(laid_over(judged({}) | {}, laid_over(shipped, changes))), root=ROOT)


def test_every_kind_runs_with_every_seed_and_trains_a_detector() -> None:
    found = _plan(*NAMES)
    cases = [Case(name, seed) for name in NAMES for seed in (7, 8)]
    assert found.label_cost.cases.cases() == cases
    assert all(found.comparison.has_detector(case) for case in cases)
    assert found.label_cost.metrics(None) == [
        f"results/r/seed-{case.seed}/{case.variant}/evaluate/metrics.json" for case in cases
    ]
    assert found.label_cost.weak_labels(None) == [
        f"results/r/seed-{case.seed}/prepare/weak_labels.parquet" for case in cases
    ]
    assert found.label_cost.cases.supervised == ("truth",)


def test_the_ablation_is_the_same_beside_it() -> None:
    alone, beside = plan(**JUDGED), _plan(*NAMES)
    assert beside.metrics == alone.metrics
    assert beside.detector_metrics == alone.detector_metrics
    assert beside.comparison.detectors == alone.comparison.detectors
    for case, homes in alone.homes.of_case.items():
        assert beside.homes.of_case[case] == homes


def test_labels_of_a_kind_are_judged_and_those_of_the_truth_are_not() -> None:
    evaluate = _plan("paste", "truth").evaluate
    job = {name: type("Job", (), {"home": f"r/seed-7/{name}"})() for name in ("paste", "truth")}
    assert evaluate.exported(job["paste"]) == ["results/r/seed-7/full/export/pseudo_labels.json"]
    assert evaluate.exported(job["truth"]) == []
    assert all(evaluate.training(one) for one in job.values())


def test_kinds_share_what_is_alike_with_each_other_and_with_the_ablation() -> None:
    homes = _plan("full", "merged").homes
    merged = homes.of_case[Case("merged", 7)]
    assert merged["refine"] == "r/seed-7/full"
    assert merged["export"] == "r/seed-7/merged"
    alone = _plan("full", "merged", **compared("pdg")).homes
    assert alone.of_case[Case("merged", 7)]["refine"] == "r/seed-7/full"
    assert alone.of_case[Case("merged", 7)]["select"] == "r/seed-7/pdg"


def test_on_files_seeds_share_prepare_to_propose(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data" / "images").mkdir(parents=True)
    (tmp_path / "data" / "a.json").touch()
    monkeypatch.chdir(tmp_path)
    splits = {"dataset__train": FILES, "dataset__val": FILES, "dataset__source": "files"}
    homes = _plan("centred", **splits).homes
    one, other = (homes.of_case[Case("centred", seed)] for seed in (7, 8))
    assert one["prepare"] == other["prepare"] == one["propose"] == "r/centred"
    assert (one["train"], other["train"]) == ("r/centred/seed-7", "r/centred/seed-8")


def test_the_default_config_has_all_its_kinds() -> None:
    found = _whole().label_cost.cases
    assert found.fault == ""
    assert found.variants == (*KINDS, "fully_supervised")
    assert len(found.cases()) == 7 * 3
    assert found.last["boxes_sim"] == "boxes_sim/round-2"


@pytest.mark.parametrize("name", ["mix", "tags"])
def test_a_kind_alone_has_its_masks_and_its_labels(name: str) -> None:
    found = _whole().prepare
    values = found.values(type("Job", (), {"home": f"demo/seed-1/{name}"})())
    assert (values["labels"], values["mask_share"]) == {
        "mix": ("point", 0.1),
        "tags": ("tag", 0.0),
    }[name]


FAULTS = [  # changes of the default config, and what is said when label_cost is asked for
    ({"train": {"enabled": False}}, "label_cost: a detector is trained on each kind"),
    ({"dataset": {"ground_truth": False}}, "label_cost: dataset.ground_truth is false"),
    ({"label_cost": {"variants": ["tag"]}}, "label_cost.variants: there is no variant 'tag'"),
    (
        {"evaluate": {"match": "instance"}},
        "variants.tags: prepare.labels is tag, but evaluate.match is instance",
    ),
    (
        {"variants": {"boxes_sam": {"select": {"method": "oicr"}}}},
        "variants.boxes_sam: select.method: oicr chooses for image tags",
    ),
    (
        {"variants": {"boxes_sim": {"refine": {"zoom": {"enabled": True}}}}},
        "variants.boxes_sim: refine.zoom.enabled: true, but propose.segmenter is sim",
    ),
    (
        {"variants": {"boxes_caseg": {"propose": {"boxcaseg": {"model": "gone.pt"}}}}},
        "propose.boxcaseg.model: there is no file gone.pt",
    ),
    ({"variants": {"mix": {"prepare": {"mask_share": 2}}}}, None),
]


@pytest.mark.parametrize(("changes", "sentence"), FAULTS, ids=str)
def test_what_keeps_it_from_running_is_said_when_it_is_asked_for(
    changes: dict[str, Any], sentence: str | None
) -> None:
    if sentence is None:  # a value that no config may hold is refused at once
        with pytest.raises(ValueError, match="mask_share: must be at most 1"):
            _whole(**changes)
        return
    found = _whole(**changes)
    assert found.label_cost.cases.cases() == []
    with pytest.raises(ValueError, match=r"[^.]\.$") as error:
        found.label_cost.metrics(None)
    assert sentence in str(error.value)


def test_a_variant_of_it_that_runs_otherwise_is_judged_at_once() -> None:
    broken = {"boxes_sam": {"select": {"method": "oicr"}}}
    with pytest.raises(ValueError, match=r"variants\.boxes_sam: select\.method: oicr"):
        _whole(variants=broken, report={"variants": ["boxes_sam"], "detectors": []})
