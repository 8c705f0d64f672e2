import argparse
import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stages.planning.plan import Plan, flag, flags, plan_of, shards_of, shell_prefix
from stages.planning.sources import NEVER, expanded

OFFICIAL = ("sam_vit_b_01ec64.pth", "sam_vit_h_4b8939.pth")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a weight file, and a working folder beside it with a data set."""
    for name in ("repo/tiny.pth", "work/data/a.json", "work/data/images/1.png"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "repo"


def _config(**changes: Any) -> dict[str, Any]:
    config: dict[str, Any] = {
        "run": "r",
        "variant": "v",
        "seed": 7,
        "shards": 2,
        "variants": {"v2": {"of": None, "over": "v", "select": {"method": "sam_top1"}}},
        "report": {"variants": ["v", "v2"], "seeds": [1, 2], "detectors": [], "detector_seeds": []},
        "device": "cpu",
        "dataset": {"source": "partworld", "train": None, "val": None, "ground_truth": True},
        "propose": {"segmenter": "sam", "sam": {"checkpoint": "tiny.pth"}},
        "select": {
            "method": "psm",
            "psm": {
                "features": {"source": "sam", "weights": None},
                "training": {"processes": 1},
            },
        },
        "refine": {"method": "prm", "prm": {"fit": "staged", "training": {"processes": 3}}},
        "train": {"enabled": True, "engine": "torchvision", "weights": None},
        **{name: {} for name in ("prepare", "prompt", "export", "evaluate")},
    }
    for dotted, value in changes.items():
        *path, last = dotted.split("__")
        node = config
        for key in path:
            node = node[key]
        node[last] = value
    return config


def _plan(root: Path, **changes: Any) -> Plan:
    return plan_of(_config(**changes), root=root, official=OFFICIAL)


FILES = {"images": "data/images", "annotations": "data/a.json"}


def test_partworld_is_planned_below_the_run(root: Path) -> None:
    plan = _plan(root)
    assert plan.train.images == "results/{run}/partworld/train/images"
    assert [split.annotations for split in plan.val] == [
        "results/{run}/partworld/val/annotations.json"
    ]
    assert plan.truth == ("results/{run}/partworld/train/annotations.json",)
    assert plan.report.plain_detector
    assert plan.targets == (
        "results/r/v/export/pseudo_labels.json",
        "results/r/v/train/torchvision/model.pt",
        "results/r/v/evaluate/metrics.json",
    )


def test_without_a_detector_nothing_is_held_out(root: Path) -> None:
    plan = _plan(root, train__enabled=False)
    assert plan.val == ()
    assert not plan.report.plain_detector
    assert plan.targets == (
        "results/r/v/export/pseudo_labels.json",
        "results/r/v/evaluate/metrics.json",
    )


def test_without_ground_truth_none_is_handed_out(root: Path) -> None:
    assert _plan(root, dataset__ground_truth=False).truth == ()


def test_files_without_a_held_out_split_are_planned(root: Path) -> None:
    plan = _plan(root, dataset__source="files", dataset__train=FILES)
    assert plan.train.images == "data/images"
    assert plan.val == ()
    assert not plan.report.plain_detector
    assert "results/r/v/train/torchvision/model.pt" in plan.targets


@pytest.mark.parametrize(("device", "gpu"), [("cpu", 0), ("cuda", 1), ("auto", 1)])
def test_only_a_device_that_may_be_a_gpu_takes_a_token(root: Path, device: str, gpu: int) -> None:
    assert _plan(root, device=device).gpu == gpu


def test_settings_are_json_with_the_paths_expanded(root: Path) -> None:
    settings = _plan(root).settings
    assert json.loads(settings["propose"])["sam"] == {"checkpoint": str(root / "tiny.pth")}
    assert list(settings) == [
        "prepare",
        "propose",
        "select",
        "refine",
        "export",
        "train",
        "evaluate",
    ]


def test_a_path_in_the_working_folder_stays_as_it_was_written(root: Path) -> None:
    Path("tiny.pth").touch()
    assert _plan(root).checkpoint == "tiny.pth"


def test_the_network_reads_sam_or_its_own_weights(root: Path) -> None:
    Path("resnet.pth").touch()
    resnet = {"source": "resnet50", "weights": "resnet.pth"}
    assert _plan(root).features == (str(root / "tiny.pth"),)
    assert _plan(root, select__psm__features=resnet).features == ("resnet.pth",)
    scratch = {"source": "resnet18", "weights": None}
    assert _plan(root, select__psm__features=scratch).features == ()
    assert _plan(root, train__weights="resnet.pth").backbone == ("resnet.pth",)


def test_an_official_file_that_is_missing_is_fetched(root: Path) -> None:
    plan = _plan(root, propose__sam__checkpoint="models/sam_vit_b_01ec64.pth")
    assert plan.fetched == r"models/sam_vit_b_01ec64\.pth"


def test_an_official_file_that_is_there_is_no_rules_business(root: Path) -> None:
    Path("sam_vit_b_01ec64.pth").touch()
    assert _plan(root, propose__sam__checkpoint="sam_vit_b_01ec64.pth").fetched == NEVER


MISSING = [
    (
        {"propose__sam__checkpoint": "no.pth"},
        r"propose\.sam\.checkpoint: there is no file no\.pth.*sam_vit_b",
    ),
    ({"train__weights": "no.pth"}, r"train\.weights: there is no file no\.pth"),
    (
        {"select__psm__features": {"source": "sam", "weights": "no.pth"}},
        r"select\.psm\.features\.weights: there is no file no\.pth",
    ),
    (
        {"dataset__source": "files", "dataset__train": {**FILES, "images": "no"}},
        r"dataset\.train\.images: there is no folder no\.",
    ),
    (
        {"dataset__source": "files", "dataset__train": {**FILES, "annotations": "data"}},
        r"dataset\.train\.annotations: there is no file data\.",
    ),
    (
        {
            "dataset__source": "files",
            "dataset__train": FILES,
            "dataset__val": {**FILES, "images": "no"},
        },
        r"dataset\.val\.images: there is no folder no\.",
    ),
    (
        {"dataset__source": "files", "dataset__train": {**FILES, "images": "${NOT_SET}/a"}},
        r"needs the environment variable NOT_SET, which is not set\. Set it: export NOT_SET=",
    ),
]


@pytest.mark.parametrize(("changes", "sentence"), MISSING, ids=[s for _, s in MISSING])
def test_what_is_missing_is_named(root: Path, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as caught:
        _plan(root, **changes)
    assert "\n" not in str(caught.value)


def test_variables_and_home_are_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA", "/d")
    monkeypatch.setenv("HOME", "/h")
    assert expanded("${DATA}/a$b/${DATA}", "key") == "/d/a$b//d"
    assert expanded("~/a", "key") == "/h/a"


@pytest.mark.parametrize(
    ("count", "names"), [(1, ["0000-of-0001"]), (2, ["0000-of-0002", "0001-of-0002"])]
)
def test_shards_have_their_total_in_the_name(count: int, names: list[str]) -> None:
    assert list(shards_of(count)) == names


def test_a_flag_without_paths_is_nothing() -> None:
    assert flag("--truth", []) == ""
    assert flag("--truth", ["a b.json", "c"]) == "--truth 'a b.json' c"


def test_the_prefix_leaves_a_conda_environment_its_python(tmp_path: Path) -> None:
    prefix = shell_prefix(tmp_path / "my repo", Path("/venv/bin/python"), gpu=0)
    plain = prefix.replace("{{", "{").replace("}}", "}")  # as Snakemake's formatting does
    show = 'echo "$PYTHONPATH|${PATH%%:*}|$MALLOC_TOP_PAD_"'
    for conda, first in ((None, "/venv/bin"), ("/env", "/usr/bin")):
        environment = {"PATH": "/usr/bin:/bin"} | ({"CONDA_PREFIX": conda} if conda else {})
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", plain + show],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == f"{tmp_path}/my repo|{first}|268435456"


def test_a_gpu_job_keeps_the_usual_malloc(tmp_path: Path) -> None:
    assert "MALLOC" not in shell_prefix(tmp_path, Path("/venv/bin/python"), gpu=1)


@dataclass
class Wildcards:
    """What a rule's wildcards say."""

    run: str = "r"
    variant: str = "v"
    shard: str = "0001-of-0002"


def test_the_wildcards_know_the_names_and_the_seeds_of_the_ablation(root: Path) -> None:
    plan = _plan(root)
    for run in ("r", "r/seed-1", "r/seed-2"):
        assert re.fullmatch(plan.report.runs(), run)
    for run in ("r/seed-3", "r2", "x/seed-1"):
        assert not re.fullmatch(plan.report.runs(), run)
    assert re.fullmatch(plan.report.variant_names(), "fully_supervised")
    assert not re.fullmatch(plan.report.variant_names(), "v/seed-1")


def test_seeds_of_files_on_disk_are_folders_of_a_variant(root: Path) -> None:
    plan = _plan(root, dataset__source="files", dataset__train=FILES)
    assert not re.fullmatch(plan.report.runs(), "r/seed-1")
    assert re.fullmatch(plan.report.variant_names(), "v2/seed-1")
    assert plan.report.metrics()[:2] == [
        "results/r/v/seed-1/evaluate/metrics.json",
        "results/r/v/seed-2/evaluate/metrics.json",
    ]


def test_a_plain_run_reads_its_own_files(root: Path) -> None:
    plan = _plan(root)
    assert plan.model_of(Wildcards(), "refine") == ["results/r/v/fit_refine/model.pt"]
    assert plan.judged(Wildcards(), "select") == [
        "results/r/v/select/shard-0000-of-0002.parquet",
        "results/r/v/select/shard-0001-of-0002.parquet",
    ]
    assert plan.judged(Wildcards(), "propose") == [
        "results/r/propose/shard-0000-of-0002.parquet",
        "results/r/propose/shard-0001-of-0002.parquet",
    ]
    assert plan.exported(Wildcards()) == ["results/r/v/export/pseudo_labels.json"]


def test_what_is_not_learned_reads_no_model(root: Path) -> None:
    assert _plan(root).model_of(Wildcards(variant="v2"), "select") == []


def test_the_supervised_detector_reads_the_truth_and_no_tables(root: Path) -> None:
    plan, supervised = _plan(root), Wildcards("r/seed-1", "fully_supervised")
    assert plan.labels_of(supervised) == ["results/r/seed-1/partworld/train/annotations.json"]
    assert plan.judged(supervised, "select") == []
    assert plan.exported(supervised) == []


def test_no_pseudo_label_comes_from_the_truth(root: Path) -> None:
    plan = _plan(root)
    for variant in ("v", "v2"):
        assert plan.labels_of(Wildcards("r/seed-1", variant)) == [
            f"results/r/seed-1/{variant}/export/pseudo_labels.json"
        ]


def test_several_processes_are_started_by_torchrun(root: Path) -> None:
    plan = _plan(root)
    assert plan.launcher("select") == "python"
    assert plan.launcher("refine") == (
        "python -m torch.distributed.run --standalone --nproc-per-node 3"
    )


def test_the_flags_of_a_rules_inputs(root: Path) -> None:
    paths = argparse.Namespace(first=["a b"], second=[])
    assert flags(paths, "first", "second").strip() == "--first 'a b'"


def test_a_detector_that_differs_in_its_training_alone_is_scored_without_tables(root: Path) -> None:
    paste = {"of": None, "over": "v", "train": {"copy_paste": {"enabled": True}}}
    plan = _plan(
        root, variants__paste=paste, report__detectors=["paste"], report__detector_seeds=[1]
    )
    wildcards = Wildcards("r/seed-1", "paste")
    assert plan.labels_of(wildcards) == ["results/r/seed-1/v/export/pseudo_labels.json"]
    assert plan.exported(wildcards) == plan.judged(wildcards, "select") == []
    home = "results/r/seed-1/paste/train/torchvision"
    assert plan.trained(wildcards, "training.json") == [f"{home}/training.json"]
    assert plan.trained(Wildcards("r/seed-2", "paste"), "training.json") == []
