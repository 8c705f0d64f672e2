"""What a run prints: a line for each job, what failed at the end, one sentence for Ctrl-C."""

import os
import re
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from stages.runtime.stopping import STOPPED
from tests.interrupted import heed_ctrl_c
from tests.workflow.workspace import Outcome, Workspace

pytestmark = pytest.mark.long

FRAME = 9  # lines: what Snakemake says before it reads the Snakefile, counts of prepare, the ending
PATIENCE = 120  # s until a job must have begun
TARGET = "results/tiny/partworld/train/annotations.json"
FAULT = "grade/shard-0000-of-0002.parquet: not a Parquet file"
# In the place of a library: the job says that its imports have begun, and waits.
PATIENT_CV2 = """
import os, signal
with open(os.environ["WAIT_IN"], "w") as fifo:
    fifo.write("here")
signal.pause()
"""


def test_a_run_prints_a_line_for_each_job_and_the_table(finished: Workspace) -> None:
    text = (finished.folder / "output.txt").read_text()
    table = (finished.results() / "sapnet" / "evaluate" / "table.txt").read_text()
    lines = text.replace(table, "").splitlines()
    jobs = sum(Outcome(0, text).jobs().values())
    told = [line for line in lines if re.match(rf" *\d+/{jobs} ", line)]
    assert len(told) == jobs
    assert len(lines) <= jobs + FRAME, text


def test_a_line_has_stage_shard_rate_time_and_memory(finished: Workspace) -> None:
    text = (finished.folder / "output.txt").read_text()
    shards = r"^ *\d+/\d+ propose +tiny \d{4}-of-0002 +[\d.]+ images/s +\d+ s +\d+ MiB  .* left$"
    assert re.search(shards, text, re.M), text
    steps = r"^ *\d+/\d+ fit_select +tiny/sapnet +[\d.]+ steps/s +\d+ s +\d+ MiB  .* left$"
    assert re.search(steps, text, re.M), text


@pytest.fixture
def damaged(workspace: Workspace) -> Workspace:
    """A run whose export will fail."""
    path = workspace.results() / "sapnet" / "grade" / "shard-0000-of-0002.parquet"
    path.write_bytes(path.read_bytes()[:100])
    shutil.rmtree(workspace.results() / "sapnet" / "export")
    return workspace


def test_what_failed_is_said_once_at_once_and_once_at_the_end(damaged: Workspace) -> None:
    outcome = damaged.snakemake("--until", "export")
    assert outcome.code == 1
    lines = outcome.text.rstrip().splitlines()
    (closing,) = [number for number, line in enumerate(lines) if "1 failed. " in line]
    assert lines[closing].startswith("maskmill: 0 of 1 jobs are done, 1 failed. ")
    assert lines[closing - 2 : closing] == lines[closing + 1 :]
    failed, sentence = lines[closing + 1 :]
    assert failed == "failed: export tiny/sapnet (results/tiny/sapnet/logs/export.log)"
    assert sentence.startswith("    export: ")
    assert FAULT in sentence
    assert len(lines) <= FRAME
    assert "Error in rule export" in Path(lines[closing].split()[-1]).read_text()


def test_the_whole_output_is_behind_a_flag(damaged: Workspace) -> None:
    outcome = damaged.snakemake("--until", "export", "-p")
    assert "Error in rule export:" in outcome.text
    assert "-m stages.export" in outcome.text
    assert "Logfile results/tiny/sapnet/logs/export.log:" in outcome.text
    assert FAULT in outcome.text


def test_a_dry_run_is_snakemakes_own(damaged: Workspace) -> None:
    assert "Reason: " in damaged.snakemake("-n", "--until", "export").text


def _interrupted(workspace: Workspace, fifo: Path) -> Outcome:
    """A run that Ctrl-C reaches while a job imports its libraries."""
    os.mkfifo(fifo)
    end = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
    run = subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--cores", "1", TARGET, "--configfile", "mine.yaml"],
        cwd=workspace.folder,
        env=os.environ | {"WAIT_IN": str(fifo)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=heed_ctrl_c,
        text=True,
    )
    assert select.select([end], [], [], PATIENCE)[0], "the job has not begun"
    os.close(end)
    os.killpg(run.pid, signal.SIGINT)
    text, _ = run.communicate(timeout=PATIENCE)
    return Outcome(run.returncode, text)


def test_ctrl_c_is_one_sentence_and_the_same_command_goes_on(
    fresh: Workspace, tmp_path: Path
) -> None:
    fake = fresh.folder / "cv2.py"
    fake.write_text(PATIENT_CV2)
    outcome = _interrupted(fresh, tmp_path / "fifo")
    assert outcome.code != 0
    opening, closing = [line for line in outcome.text.splitlines() if line.startswith("maskmill")]
    assert opening == "maskmill: 1 job: partworld 1."
    assert closing == f"maskmill: 0 of 1 jobs are done; {STOPPED}"
    assert outcome.text.rstrip().endswith(closing)
    assert "Traceback" not in outcome.text
    assert fresh.log("partworld/train") == f"partworld.dataset: {STOPPED}\n"
    fake.unlink()
    again = fresh.snakemake(TARGET)
    assert again.code == 0, again.text
