"""Which rounds share files, where each lies, and what it reads of the round before."""

from types import SimpleNamespace
from typing import Any

import pytest

from stages.planning.homes import Case
from stages.planning.plan import Plan, plan_of
from tests.small_config import FILES, ROOT, compared, config

RELABEL: dict[str, Any] = {"refine": {"method": "relabel", "zoom": {"enabled": True}}}
BLOCK = {"rule": "selective", "mask": "close_up", "overlap": 0.7}
VARIANTS = {
    "once": {},
    "twice": {"rounds": 2, "again": RELABEL},
    "thrice": {"rounds": 3, "again": RELABEL},
    "other": {"of": "twice", "again": {"refine": {"relabel": {"overlap": 0.5}}}},
    "crossed": {"of": "twice", "again": {"refine": {"relabel": {"cross_fit": True}}}},
}


def _plan(**changes: Any) -> Plan:
    values = config(variants=VARIANTS, refine__relabel=BLOCK, **changes)
    return plan_of(values, root=ROOT, fresh=False)


def _at(home: str, **more: str) -> Any:
    return SimpleNamespace(home=home, **more)


def test_a_plain_run_ends_with_its_last_round() -> None:
    plan = _plan(variant="twice")
    assert "results/r/twice/round-2/export/pseudo_labels.json" in plan.targets
    first, second = (plan.homes.of_case[Case(name)] for name in ("twice", "twice/round-2"))
    assert {first[stage] for stage in ("refine", "export", "train", "predict")} == {"r/twice"}
    assert first["select"] == second["select"] == "r/twice"  # shared: it reads no round before
    assert first["propose"] == second["propose"] == "r"
    assert second["fit_select"] == first["fit_select"]
    assert "fit_refine" not in second
    for stage in ("refine", "export", "train", "predict", "evaluate"):
        assert second[stage] == "r/twice/round-2"


def test_rounds_and_detectors_that_are_alike_are_made_once() -> None:
    names = ("once", "twice", "thrice", "other")
    homes = _plan(**compared(*names, detectors=names)).homes
    refine = {name: homes.of_case[Case(name, 1)]["refine"] for name in (*names, "twice/round-2")}
    assert {refine[name] for name in names} == {"r/seed-1/once"}
    assert refine["twice/round-2"] == "r/seed-1/twice/round-2"
    found = {name: homes.of_case[Case(name, 1)] for name in ("thrice/round-2", "thrice/round-3")}
    assert found["thrice/round-2"]["train"] == "r/seed-1/twice/round-2"
    assert found["thrice/round-3"]["train"] == "r/seed-1/thrice/round-3"
    assert homes.of_case[Case("other/round-2", 1)]["refine"] == "r/seed-1/other/round-2"
    assert homes.of_case[Case("thrice", 1)]["train"] == "r/seed-1/once"
    assert homes.of_case[Case("thrice", 1)]["evaluate"] == "r/seed-1/thrice"


def test_the_last_rounds_are_compared() -> None:
    plan = _plan(**compared("once", "thrice"))
    assert plan.metrics == (
        "results/r/seed-1/once/evaluate/metrics.json",
        "results/r/seed-2/once/evaluate/metrics.json",
        "results/r/seed-1/thrice/round-3/evaluate/metrics.json",
        "results/r/seed-2/thrice/round-3/evaluate/metrics.json",
    )


def test_seeds_on_files_have_their_rounds_below_them(tmp_path: Any, monkeypatch: Any) -> None:
    (tmp_path / "data" / "images").mkdir(parents=True)
    (tmp_path / "data" / "a.json").touch()
    monkeypatch.chdir(tmp_path)
    plan = _plan(dataset__source="files", dataset__train=FILES, **compared("twice"))
    homes = plan.homes.of_case[Case("twice/round-2", 2)]
    assert homes["refine"] == "r/twice/seed-2/round-2"
    assert homes["propose"] == "r"


READ = [  # home, stage; labels, predictions: homes of the round before
    ("r/twice", "refine", None, None),
    ("r/twice/round-2", "refine", "r/twice", "r/twice"),
    ("r/twice/round-2", "export", None, None),
]


@pytest.mark.parametrize(("home", "stage", "labels", "seen"), READ)
def test_a_round_reads_its_own_shard_of_the_round_before(
    home: str, stage: str, labels: str | None, seen: str | None
) -> None:
    inputs = getattr(_plan(variant="twice"), stage)
    one = _at(home, shard="0001-of-0002")
    name = "0001-of-0002.parquet"
    wanted = [f"results/{labels}/refine/shard-{name}"] if labels else []
    assert inputs.former_labels(one) == wanted
    at = f"results/{seen}/predict/torchvision"
    assert inputs.former_predictions(one) == ([f"{at}/shard-{name}"] if seen else [])
    assert inputs.former_scores(one) == ([f"{at}/labels-{name}"] if seen else [])


TEACHER: dict[str, Any] = {"segmenter": "sim", "sim": {"model": None}}
GIVEN = {"segmenter": "sim", "sim": {"model": "teacher.pt"}}
LATER: dict[str, Any] = {"propose": TEACHER, "refine": {"method": "sim"}}
FIRST = ["results/r/v/fit_propose/model.pt"]
TEACHERS = [  # values of a variant; the teacher that its second round goes on from
    ({"rounds": 2, "propose": TEACHER}, FIRST),
    ({"rounds": 2, "propose": TEACHER, "again": {"propose": {"sim": {"size": 64}}}}, FIRST),
    ({"rounds": 2, "again": LATER}, []),
    ({"rounds": 2, "propose": GIVEN, "again": {"propose": TEACHER}}, []),
]


@pytest.mark.parametrize(("values", "wanted"), TEACHERS, ids=["alike", "larger", "of SAM", "given"])
def test_a_teacher_goes_on_from_the_one_before(
    tmp_path: Any, monkeypatch: Any, values: Any, wanted: Any
) -> None:
    (tmp_path / "teacher.pt").touch()
    monkeypatch.chdir(tmp_path)
    plan = plan_of(config(variants={"v": values}, variant="v"), root=ROOT, fresh=False).fit_propose
    assert plan.former_model(_at("r/v/round-2")) == wanted
    if values.get("propose") == TEACHER:
        assert plan.former_model(_at("r/v")) == []


def test_predict_asks_the_detector_of_its_round() -> None:
    predict = _plan(variant="twice").predict
    job = _at("r/twice", shard="0000-of-0002", engine="torchvision")
    assert predict.detector_model(job) == "results/r/twice/train/torchvision/model.pt"
    assert predict.pseudo_labels(job) == ["results/r/twice/refine/shard-0000-of-0002.parquet"]
    assert '"engine": "torchvision"' in predict.train_settings(job)
    assert '"score": 0.05' in predict.settings(job)


def test_a_cross_fitted_round_reads_what_two_halves_say_of_each_other() -> None:
    plan, name = _plan(**compared("twice", "crossed")), "0001-of-0002"
    home, first = "r/seed-1/crossed/round-2", "results/r/seed-1/twice"  # which both share
    job = _at(home, shard=name)
    at = f"{first}/predict_crossed/torchvision"
    assert plan.refine.former_predictions(job) == [f"{at}/shard-{name}.parquet"]
    assert plan.refine.former_scores(job) == [f"{at}/labels-{name}.parquet"]
    assert plan.refine.former_labels(job) == [f"{first}/refine/shard-{name}.parquet"]
    plain = plan.refine.former_predictions(_at("r/seed-1/twice/round-2", shard=name))
    assert plain == [f"{first}/predict/torchvision/shard-{name}.parquet"]
    judges = _at("r/seed-1/twice", shard=name, engine="torchvision")
    folder = f"{first}/train_half/torchvision"
    assert plan.predict_crossed.half_models(judges) == [f"{folder}/{k}/model.pt" for k in (1, 2)]


def test_halves_are_trained_as_the_detector_of_all_labels_is() -> None:
    plan = _plan(variant="crossed")
    job = _at("r/crossed", engine="torchvision", half="1")
    for name in ("settings", "labels", "code", "seed", "launcher", "processes", "weights"):
        assert getattr(plan.train_half, name)(job) == getattr(plan.train, name)(job)
    asked = _at("r/crossed", engine="torchvision", shard="0000-of-0002")
    for name in ("settings", "train_settings", "code", "pseudo_labels", "images"):
        assert getattr(plan.predict_crossed, name)(asked) == getattr(plan.predict, name)(asked)


def test_settings_of_a_round_are_its_own() -> None:
    refine = _plan(variant="twice").refine
    first, second = (refine.values(_at(home)) for home in ("r/twice", "r/twice/round-2"))
    assert (first["method"], second["method"]) == ("prm", "relabel")
    assert second["relabel"] == BLOCK
