"""Snakemake's locks: what a run leaves, what the next one removes, and what it says."""

import os
import re
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.workflow.workspace import Workspace

pytestmark = pytest.mark.long

# Python reads this file at its start, since the folder is on PYTHONPATH: a stage says that it is
# there, and then waits to be killed.
PATIENT = """
import os
import signal
import sys

if os.environ.get("WAIT_IN") and "snakemake" not in " ".join(sys.orig_argv):
    with open(os.environ["WAIT_IN"], "w") as fifo:
        fifo.write("here")
    signal.pause()
"""
PATIENCE = 120  # s until a job must have begun
TARGET = "results/tiny/partworld/train/annotations.json"


def _started(workspace: Workspace, fifo: Path) -> "subprocess.Popen[str]":
    """A run that is in the middle of its first job."""
    os.mkfifo(fifo)
    end = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
    (workspace.folder / "sitecustomize.py").write_text(PATIENT)
    run = subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--cores", "1", TARGET, "--configfile", "mine.yaml"],
        cwd=workspace.folder,
        env=os.environ | {"WAIT_IN": str(fifo)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        text=True,
    )
    assert select.select([end], [], [], PATIENCE)[0], "the job has not begun"
    os.close(end)
    return run


def _locks(workspace: Workspace) -> set[str]:
    return {path.name for path in (workspace.folder / ".snakemake" / "locks").glob("*.lock")}


def test_a_dry_run_leaves_every_lock(fresh: Workspace) -> None:
    lock = fresh.folder / ".snakemake" / "locks" / "0.output.lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    outcome = fresh.snakemake("-n")
    assert outcome.code == 0, outcome.text
    assert lock.exists()


def test_a_lock_of_no_record_stops_a_run_with_what_to_type(fresh: Workspace) -> None:
    lock = fresh.folder / ".snakemake" / "locks" / "0.output.lock"
    lock.parent.mkdir(parents=True)
    lock.write_text(f"{TARGET}\n")
    stopped = fresh.snakemake(TARGET)
    assert stopped.code != 0
    assert re.search(r"locks: \S+ is held by a run .* type: snakemake --unlock", stopped.text)
    assert lock.exists()
    assert fresh.snakemake("--unlock").code == 0
    assert fresh.snakemake(TARGET).code == 0


def test_the_locks_of_a_run_stay_while_it_lives_and_go_when_it_was_killed(
    fresh: Workspace, tmp_path: Path
) -> None:
    run = _started(fresh, tmp_path / "fifo")
    try:
        held = _locks(fresh)
        assert held
        assert fresh.snakemake("-n", TARGET).code == 0
        second = fresh.snakemake(TARGET)
        assert second.code != 0
        assert f"is held by process {run.pid} on this machine" in second.text
        assert _locks(fresh) == held
    finally:
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
    assert _locks(fresh) == held
    assert fresh.snakemake("-n", TARGET).code == 0
    assert _locks(fresh) == held
    again = fresh.snakemake(TARGET)
    assert again.code == 0, again.text
    assert not _locks(fresh)
