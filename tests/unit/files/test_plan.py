import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from stages.files.plan import NEVER, Plan, expanded, flag, plan_of, shards_of, shell_prefix

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
        "shards": 2,
        "device": "cpu",
        "dataset": {"source": "partworld", "train": None, "val": None, "ground_truth": True},
        "propose": {"checkpoint": "tiny.pth"},
        "select": {"features": {"source": "sam", "weights": None}},
        "train": {"enabled": True, "engine": "torchvision", "weights": None},
        **{name: {} for name in ("prepare", "refine", "export", "evaluate")},
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
    assert plan.train.images == "results/r/partworld/train/images"
    assert [split.annotations for split in plan.val] == ["results/r/partworld/val/annotations.json"]
    assert plan.truth == ("results/r/partworld/train/annotations.json",)
    assert plan.engines == ("torchvision",)
    assert plan.targets == (
        "results/r/v/export/pseudo_labels.json",
        "results/r/v/train/torchvision/model.pt",
        "results/r/v/evaluate/metrics.json",
    )


def test_without_a_detector_nothing_is_held_out(root: Path) -> None:
    plan = _plan(root, train__enabled=False)
    assert plan.val == ()
    assert plan.engines == ()
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
    assert plan.engines == ()
    assert "results/r/v/train/torchvision/model.pt" in plan.targets


@pytest.mark.parametrize(("device", "gpu"), [("cpu", 0), ("cuda", 1), ("auto", 1)])
def test_only_a_device_that_may_be_a_gpu_takes_a_token(root: Path, device: str, gpu: int) -> None:
    assert _plan(root, device=device).gpu == gpu


def test_settings_are_json_with_the_paths_expanded(root: Path) -> None:
    settings = _plan(root).settings
    assert json.loads(settings["propose"]) == {"checkpoint": str(root / "tiny.pth")}
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
    assert _plan(root, select__features=resnet).features == ("resnet.pth",)
    scratch = {"source": "resnet18", "weights": None}
    assert _plan(root, select__features=scratch).features == ()
    assert _plan(root, train__weights="resnet.pth").backbone == ("resnet.pth",)


def test_an_official_file_that_is_missing_is_fetched(root: Path) -> None:
    plan = _plan(root, propose__checkpoint="models/sam_vit_b_01ec64.pth")
    assert plan.fetched == r"models/sam_vit_b_01ec64\.pth"


def test_an_official_file_that_is_there_is_no_rules_business(root: Path) -> None:
    Path("sam_vit_b_01ec64.pth").touch()
    assert _plan(root, propose__checkpoint="sam_vit_b_01ec64.pth").fetched == NEVER


MISSING = [
    (
        {"propose__checkpoint": "no.pth"},
        r"propose\.checkpoint: there is no file no\.pth.*sam_vit_b",
    ),
    ({"train__weights": "no.pth"}, r"train\.weights: there is no file no\.pth"),
    (
        {"select__features": {"source": "sam", "weights": "no.pth"}},
        r"select\.features\.weights: there is no file no\.pth",
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
