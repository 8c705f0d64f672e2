"""One card belongs to one job, whatever its number, and comes back even from a job that is killed.

The cards are pretended; the jobs are processes, as they are under a scheduler.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stages.runtime import lease as module
from stages.runtime.lease import lease

ROOT = Path(__file__).resolve().parents[3]
JOB = """
import sys
from pathlib import Path
from stages.runtime import lease
lease.WAIT = 0.01
with lease.lease(sys.argv[2:], Path(sys.argv[1])) as number:
    print("holds", number, flush=True)
    sys.stdin.read()
"""
WAITING = "device: all 1 GPUs are taken by other jobs; waiting.\n"
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a job that sees the given cards, and holds one until its input ends."""
    jobs: list[subprocess.Popen[str]] = []

    def start(*cards: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", JOB, str(tmp_path / "locks"), *cards]
        job = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        jobs.append(job)
        return job

    yield start
    for job in jobs:
        job.kill()
        job.communicate()


def _line(job: "subprocess.Popen[str]") -> str:
    assert job.stdout
    return job.stdout.readline()


def test_eight_jobs_that_see_one_card_each_as_number_0_run_at_once(start: Start) -> None:
    jobs = [start(f"gpu-{number}") for number in range(8)]
    assert [_line(job) for job in jobs] == ["holds 0\n"] * 8


def test_two_jobs_that_see_the_same_card_wait_for_each_other(start: Start) -> None:
    first = start("gpu-a")
    assert _line(first) == "holds 0\n"
    second = start("gpu-a")
    assert _line(second) == WAITING
    first.communicate()
    assert _line(second) == "holds 0\n"


def test_a_job_takes_the_card_that_is_free(start: Start) -> None:
    first, second = start("gpu-a", "gpu-b"), start("gpu-b", "gpu-a")
    held = {("ab", "ba")[place][int(_line(job)[-2])] for place, job in enumerate((first, second))}
    assert held == {"a", "b"}


def test_kill_9_frees_the_card(start: Start) -> None:
    first = start("gpu-a")
    assert _line(first) == "holds 0\n"
    second = start("gpu-a")
    assert _line(second) == WAITING
    first.kill()
    assert _line(second) == "holds 0\n"


def test_an_error_frees_the_card(tmp_path: Path) -> None:
    def fail() -> None:
        with lease(["gpu-a"], tmp_path):
            raise RuntimeError("job failed")

    with pytest.raises(RuntimeError, match="job failed"):
        fail()
    with lease(["gpu-a"], tmp_path) as number:
        assert number == 0


def test_a_name_with_slashes_stays_in_the_folder(tmp_path: Path) -> None:
    with lease(["MIG-GPU-1/2/../0"], tmp_path / "locks"):
        (lock,) = tmp_path.rglob("*.lock")
        assert lock.parent == tmp_path / "locks"


def test_jobs_look_again_within_a_second() -> None:
    assert 0 < module.WAIT <= 1
