"""SIGKILL in the middle of a stage, then the same command: same bytes, only the rest is redone."""

import re
import shutil
from pathlib import Path

import pytest

from tests.workflow.workspace import Workspace

pytestmark = pytest.mark.long

# Python reads this file at its start, since the folder is on PYTHONPATH. At the first rename to a
# path that matches KILL_AT, before or after it, SIGKILL ends the stage, or Snakemake and all.
ASSASSIN = """
import fnmatch
import os
import pathlib
import signal

if os.environ.get("KILL_AT"):
    who, when, pattern = os.environ["KILL_AT"].split(":")
    kill, victim = (os.killpg, os.getpgid(0)) if who == "all" else (os.kill, os.getpid())
    rename = pathlib.Path.replace

    def replace(self, target):
        hit = fnmatch.fnmatch(str(target), pattern)
        if hit and when == "before":
            kill(victim, signal.SIGKILL)
        result = rename(self, target)
        if hit:
            kill(victim, signal.SIGKILL)
        return result

    pathlib.Path.replace = replace
"""
SHARD = "shard-0000-of-0002.parquet"  # of several images
KILLS = {
    "propose": ("stage:after:*.parts/*/part-000000.parquet", f"propose/{SHARD}"),
    "fit_select": ("stage:after:*model.pt.parts/*/checkpoint.pt", "sapnet/fit_select/model.pt"),
    "select": ("stage:after:*.parts/*/part-000000.parquet", f"sapnet/select/{SHARD}"),
    "fit_refine": ("all:after:*model.pt.parts/*/checkpoint.pt", "sapnet/fit_refine/model.pt"),
    "refine": ("all:after:*.parts/*/part-000000.parquet", f"sapnet/refine/{SHARD}"),
    "export": ("stage:before:*pseudo_labels.json", "sapnet/export/pseudo_labels.json"),
    "train": ("stage:after:*model.pt.parts/*/checkpoint.pt", "sapnet/train/torchvision/model.pt"),
    "predict_held_out": (
        "all:after:*predictions.json.parts/*/part-000000.jsonl",
        "sapnet/predict/torchvision/predictions.json",
    ),
}


KILLS_OF_TAGS = {  # the same of a run from tags
    "fit_prompt": ("stage:after:*model.pt.parts/*/checkpoint.pt", "fit_prompt/model.pt"),
    "prompt": ("all:after:*.parts/*/part-000000.parquet", f"prompt/{SHARD}"),
    "propose": ("stage:after:*.parts/*/part-000000.parquet", f"propose/{SHARD}"),
    "fit_select": ("all:after:*model.pt.parts/*/checkpoint.pt", "weaksam/fit_select/model.pt"),
    "select": ("stage:after:*.parts/*/part-000000.parquet", f"weaksam/select/{SHARD}"),
    "refine": ("stage:after:*.parts/*/part-000000.parquet", f"weaksam/refine/{SHARD}"),
}

SEEN = "twice/predict/torchvision/shard-0000-of-0002.parquet"
KILLS_OF_ROUNDS = {  # the same of a run of two rounds
    "predict": ("all:after:*.parts/*/part-000000.parquet", SEEN),
    "refine": (
        "stage:after:*.parts/*/part-000000.parquet",
        f"twice/round-2/refine/{SHARD}",
    ),
    "train": (
        "all:after:*model.pt.parts/*/checkpoint.pt",
        "twice/round-2/train/torchvision/model.pt",
    ),
}


@pytest.mark.parametrize("stage", KILLS)
def test_a_killed_stage_gives_the_same_bytes(stage: str, workspace: Workspace) -> None:
    log = _killed_and_rerun(stage, workspace, *KILLS[stage])
    assert stage == "export" or "resum" in log  # which writes one file and is done in seconds


@pytest.mark.parametrize("stage", KILLS_OF_TAGS)
def test_a_killed_stage_of_tags_gives_the_same_bytes(stage: str, from_tags: Workspace) -> None:
    assert "resum" in _killed_and_rerun(stage, from_tags, *KILLS_OF_TAGS[stage])


@pytest.mark.parametrize("stage", KILLS_OF_ROUNDS)
def test_a_killed_stage_of_a_round_gives_the_same_bytes(stage: str, twice: Workspace) -> None:
    assert "resum" in _killed_and_rerun(stage, twice, *KILLS_OF_ROUNDS[stage])


def test_a_killed_propose_asks_about_the_rest_alone(from_tags: Workspace) -> None:
    """Where the answers of the finished run are gone; the lists of who uses which are not."""
    for folder in (from_tags.results() / "answers").iterdir():
        if folder.name != "lists":
            shutil.rmtree(folder)
    where = "all:after:*.parts/*/part-000001.parquet"
    log = _killed_and_rerun("propose", from_tags, where, KILLS_OF_TAGS["propose"][1])
    images = int(re.search(r"; (\d+) images, ", log)[1])
    assert images > 2
    assert f"embedded {images - 2} images, 2 answered before" in log


def _killed_and_rerun(stage: str, workspace: Workspace, where: str, output: str) -> str:
    """Kill the job that makes `output`, run it again: its log, once the bytes are the same."""
    before = workspace.digests(_folder_of(stage))
    (workspace.results() / output).unlink()
    (workspace.folder / "sitecustomize.py").write_text(ASSASSIN)

    killed = workspace.snakemake(f"results/tiny/{output}", KILL_AT=where)
    assert killed.code != 0
    assert killed.jobs() == {stage: 1}
    assert workspace.digests(_folder_of(stage)) != before

    again = workspace.snakemake(f"results/tiny/{output}")
    assert again.code == 0, again.text
    assert again.jobs() == {stage: 1}
    assert workspace.digests(_folder_of(stage)) == before
    home = output.split(f"{_folder_of(stage)}/")[0]
    (log,) = (workspace.results() / home).glob(f"logs/**/{_log_of(stage, output)}")
    return log.read_text()


def _folder_of(stage: str) -> str:
    return stage.removesuffix("_held_out")


def _log_of(stage: str, output: str) -> str:
    if stage in ("train", "predict_held_out"):
        return {"train": "torchvision.log", "predict_held_out": "held_out.log"}[stage]
    path = Path(output)
    folder = path.parent.name  # of predict that of the engine
    return f"{folder}/{path.stem}.log" if path.suffix == ".parquet" else f"{stage}.log"
