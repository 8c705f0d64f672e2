"""SIGKILL in the middle of a stage, then the same command: same bytes, only the rest is redone."""

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
SHARD = "shard-0002-of-0004.parquet"  # of several images
KILLS = {
    "propose": ("stage:after:*.parts/*/part-000000.parquet", f"propose/{SHARD}"),
    "fit_select": ("stage:after:*model.pt.parts/*/checkpoint.pt", "sapnet/fit_select/model.pt"),
    "select": ("stage:after:*.parts/*/part-000000.parquet", f"sapnet/select/{SHARD}"),
    "fit_refine": ("all:after:*model.pt.parts/*/checkpoint.pt", "sapnet/fit_refine/model.pt"),
    "refine": ("all:after:*.parts/*/part-000000.parquet", f"sapnet/refine/{SHARD}"),
    "export": ("stage:before:*pseudo_labels.json", "sapnet/export/pseudo_labels.json"),
    "train": ("stage:after:*model.pt.parts/*/checkpoint.pt", "sapnet/train/torchvision/model.pt"),
}


@pytest.mark.parametrize("stage", KILLS)
def test_a_killed_stage_gives_the_same_bytes(stage: str, workspace: Workspace) -> None:
    where, output = KILLS[stage]
    before = workspace.digests(stage)
    (workspace.results() / output).unlink()
    (workspace.folder / "sitecustomize.py").write_text(ASSASSIN)

    killed = workspace.snakemake(f"results/tiny/{output}", KILL_AT=where)
    assert killed.code != 0
    assert killed.jobs() == {stage: 1}
    assert workspace.digests(stage) != before

    again = workspace.snakemake(f"results/tiny/{output}")
    assert again.code == 0, again.text
    assert again.jobs() == {stage: 1}
    assert workspace.digests(stage) == before
    if stage != "export":  # which writes one file and is done in seconds
        (log,) = workspace.results().rglob(f"logs/**/{_log_of(stage)}")
        assert "resum" in log.read_text()


def _log_of(stage: str) -> str:
    return {"train": "torchvision.log"}.get(
        stage, f"{stage}.log" if "fit" in stage else f"{stage}/shard-0002-of-0004.log"
    )
