"""Engines, hooks and label transforms, as users ask for them on the command line."""

import json
from importlib.util import find_spec

import pytest

from stages.planning.engines import engines_here
from tests.workflow.test_conda import conda_environment, environments_of
from tests.workflow.workspace import ROOT, TINY, Workspace, merged

pytestmark = pytest.mark.long

without_detectron2 = pytest.mark.skipif(
    find_spec("detectron2") is not None, reason="detectron2 is installed here"
)
with_detectron2 = pytest.mark.skipif(
    find_spec("detectron2") is None, reason="detectron2 is not installed"
)
DETECTED = {"train": 1, "predict_held_out": 1, "evaluate": 1, "report": 1}  # jobs
HOOKS = {
    "export": {"transforms": [{"name": "merge_smaller"}, {"name": "drop_below", "score": 0.0}]},
    "train": {
        "mask_weight": "score",
        "multi_mask": {"enabled": True},
        "roi_drop": {"enabled": True, "start": 1},
        "copy_paste": {"enabled": True, "chance": 1.0, "min_score": 0.0},
    },
}


def test_compare_engines_trains_what_is_installed_and_names_what_is_not(
    workspace: Workspace,
) -> None:
    workspace.configure(merged(TINY, {"train": {"fpn_channels": 64}}))  # as detectron2 needs
    outcome = workspace.snakemake("compare_engines")
    assert outcome.code == 0, outcome.text
    jobs = outcome.jobs()
    assert jobs["train"] == jobs["predict_held_out"] == len(engines_here(conda=False))
    folder = workspace.results() / "sapnet" / "compare"
    numbers = json.loads((folder / "engines.json").read_text())
    assert [row["engine"] for row in numbers["engines"]] == list(engines_here(conda=False))
    table = (folder / "engines.md").read_text()
    for name in engines_here(conda=True):
        installed = name in engines_here(conda=False)
        assert (f"| {name} | " in table) == installed
        assert (f"{name}: not installed here" in table) != installed
    assert "Nothing to be done" in workspace.snakemake("-n", "compare_engines").text


@without_detectron2
def test_an_engine_that_is_not_installed_is_refused_in_one_sentence(workspace: Workspace) -> None:
    workspace.configure(merged(TINY, {"train": {"engine": "detectron2"}}))
    outcome = workspace.snakemake()
    assert outcome.code != 0
    assert "Traceback" not in outcome.text
    log = workspace.log("train/detectron2", home="sapnet")
    assert "train.engine is detectron2, but detectron2 is not installed. Run snakemake with" in log


@with_detectron2
def test_the_file_of_a_network_and_its_base_decide_what_reruns(workspace: Workspace) -> None:
    base = (ROOT / "workflow" / "detectors" / "cascade.yaml").read_text()
    (workspace.folder / "base.yaml").write_text(base)
    (workspace.folder / "net.yaml").write_text(
        "_BASE_: base.yaml\nMODEL: {RPN: {NMS_THRESH: 0.6}}\n"
    )
    changes = {"engine": "detectron2", "config": "net.yaml", "short_side": [64, 96]}
    workspace.configure(merged(TINY, {"train": changes}))
    outcome = workspace.snakemake()
    assert outcome.code == 0, outcome.text
    assert outcome.jobs() == DETECTED
    stock = workspace.results() / "sapnet" / "train" / "detectron2" / "stock"
    assert "CascadeROIHeads" in (stock / "config.yaml").read_text()
    assert "takes the hooks" in workspace.log("train/detectron2", home="sapnet")
    assert "Nothing to be done" in workspace.snakemake("-n").text
    (workspace.folder / "base.yaml").write_text(base.replace("FC_DIM: 256", "FC_DIM: 128"))
    assert workspace.snakemake("-n").jobs() == DETECTED
    (workspace.folder / "base.yaml").write_text(base)
    assert "Nothing to be done" in workspace.snakemake("-n").text


@pytest.mark.parametrize("engine", engines_here(conda=False))
def test_the_last_row_of_table_4_trains_with_every_engine_that_is_installed(
    engine: str, workspace: Workspace
) -> None:
    changes = {"engine": engine, "fpn_channels": 64}
    workspace.configure(merged(TINY, {"train": changes}))
    outcome = workspace.snakemake("--config", "variant=mps")
    assert outcome.code == 0, outcome.text
    folder = workspace.results() / "mps" / "train" / engine
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert all(line["loss_mask_extra"] > 0 for line in lines)
    assert json.loads((workspace.results() / "mps/evaluate/metrics.json").read_text())["detector"]


def test_several_processes_train_one_detector(workspace: Workspace) -> None:
    workspace.configure(merged(TINY, {"train": {"processes": 2, "accumulate": 2}}))
    outcome = workspace.snakemake()
    assert outcome.code == 0, outcome.text
    folder = workspace.results() / "sapnet" / "train" / "torchvision"
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert [line["images"] for line in lines] == [2, 2, 2]
    assert workspace.log("train/torchvision", home="sapnet").count("last loss") == 1


def test_each_engine_has_its_conda_environment(workspace: Workspace) -> None:
    outcome = workspace.snakemake(
        "--use-conda", "--conda-create-envs-only", "compare_engines", **conda_environment()
    )
    assert outcome.code == 0, outcome.text
    wanted = {(ROOT / "envs" / f"{name}.yaml").read_text() for name in ("stages", "detectron2")}
    assert environments_of(workspace) == wanted


def test_all_hooks_and_transforms_run_together(workspace: Workspace) -> None:
    workspace.configure(merged(TINY, HOOKS))
    outcome = workspace.snakemake()
    assert outcome.code == 0, outcome.text
    assert outcome.jobs() == {"export": 1, **DETECTED}
    folder = workspace.results() / "sapnet" / "train" / "torchvision"
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert all(
        {"loss_mask_extra", "dropped", "dropped_objects", "pasted"} <= set(line) for line in lines
    )
    facts = json.loads((folder / "training.json").read_text())
    assert facts["dropped"] is not None
    metrics = json.loads((workspace.results() / "sapnet/evaluate/metrics.json").read_text())
    assert metrics["training"] == facts
