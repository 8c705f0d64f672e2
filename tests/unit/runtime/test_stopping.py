"""Ctrl-C ends a program with one sentence, whatever it is doing."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from stages.runtime.stopping import STARTED_BY, STOPPED
from tests.interrupted import heed_ctrl_c

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 120  # s until a program must have begun
# Python reads such a file at its start: torch then says that its import has begun, and waits.
PATIENT_TORCH = """
import os, signal
with open(os.environ["WAIT_IN"], "w") as fifo:
    fifo.write("here")
signal.pause()
"""


def _interrupted(program: str, folder: Path) -> tuple[int, str]:
    """Exit code and words of a program that Ctrl-C reaches while it imports torch."""
    (folder / "torch.py").write_text(PATIENT_TORCH)
    os.mkfifo(folder / "fifo")
    end = os.open(folder / "fifo", os.O_RDWR | os.O_NONBLOCK)
    started = subprocess.Popen(
        [sys.executable, "-m", program, "--help"],
        cwd=ROOT,
        env=os.environ | {"WAIT_IN": str(folder / "fifo"), "PYTHONPATH": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=heed_ctrl_c,
        text=True,
    )
    assert select.select([end], [], [], PATIENCE)[0], "torch is not imported"
    os.close(end)
    started.send_signal(signal.SIGINT)
    return started.wait(PATIENCE), (started.stderr or sys.stdin).read()


@pytest.mark.parametrize("name", ["predict", "train", "partworld.train_sam"])
def test_a_program_that_is_still_importing_torch_stops_with_one_sentence(
    name: str, tmp_path: Path
) -> None:
    assert _interrupted(f"stages.{name}", tmp_path) == (130, f"{name}: {STOPPED}\n")


def test_other_errors_keep_their_traceback(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise RuntimeError('ours')")
    done = subprocess.run(
        [sys.executable, "-m", "stages.predict", "--help"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert done.stderr.endswith("RuntimeError: ours\n")


def test_who_imports_us_keeps_the_hook_of_their_own() -> None:
    said = "import sys, stages; print(sys.excepthook is sys.__excepthook__)"
    done = subprocess.run([sys.executable, "-c", said], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "True\n", done.stderr


# A run that starts a program and prints its pid: as a rule does, or as a person does.
PARENT = """
import os, subprocess, sys
environment = os.environ | ({NAME: str(os.getpid())} if sys.argv[1] == "rule" else {})
words = [sys.executable, "-m", "stages.predict", "--help"]
print(subprocess.Popen(words, env=environment, stderr=subprocess.DEVNULL).pid, flush=True)
sys.stdin.read()
""".replace("NAME", repr(STARTED_BY))


@pytest.mark.skipif(sys.platform != "linux", reason="the parent's death is told on Linux alone")
@pytest.mark.parametrize("who", ["rule", "person"])
def test_a_job_ends_with_the_run_that_started_it_and_a_persons_program_does_not(
    who: str, tmp_path: Path
) -> None:
    (tmp_path / "torch.py").write_text(PATIENT_TORCH)
    os.mkfifo(tmp_path / "fifo")
    end = os.open(tmp_path / "fifo", os.O_RDWR | os.O_NONBLOCK)
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, who],
        cwd=ROOT,
        env=os.environ | {"WAIT_IN": str(tmp_path / "fifo"), "PYTHONPATH": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    job = int((parent.stdout or sys.stdin).readline())
    watched = os.pidfd_open(job)
    assert select.select([end], [], [], PATIENCE)[0], "torch is not imported"
    parent.kill()
    parent.wait()
    ended = bool(select.select([watched], [], [], PATIENCE if who == "rule" else 1)[0])
    if not ended:
        os.kill(job, signal.SIGKILL)
    for descriptor in (end, watched):
        os.close(descriptor)
    assert ended == (who == "rule")
