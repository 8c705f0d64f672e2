"""What command lines are put together from."""

import argparse
import subprocess
from pathlib import Path

import pytest

from stages.planning.command import at_once_of, each_of, flag, flags, setup_of


def test_a_flag_without_values_is_nothing() -> None:
    assert flag("--truth", []) == ""
    assert flag("--truth", ["a b.json", "c"]) == "--truth 'a b.json' c"
    assert flag("--seeds", [1, 2]) == "--seeds 1 2"


def test_the_flags_of_a_rules_inputs() -> None:
    paths = argparse.Namespace(pseudo_labels=["a b"], trails=[], exported=["c"])
    assert flags(paths, "pseudo_labels", "trails", "exported") == (
        "--pseudo-labels 'a b' --exported c"
    )
    assert flags(paths, "trails") == ""


def _setup(root: Path, *, gpu: bool) -> str:
    return setup_of(root, Path("/venv/bin/python"), gpu=gpu, threads=1)(None, 1)


def test_the_setup_leaves_a_conda_environment_its_python(tmp_path: Path) -> None:
    setup = _setup(tmp_path / "my repo", gpu=False)
    show = 'echo "$PYTHONPATH|${PATH%%:*}|$MALLOC_TOP_PAD_"'
    for conda, first in ((None, "/venv/bin"), ("/env", "/usr/bin")):
        environment = {"PATH": "/usr/bin:/bin"} | ({"CONDA_PREFIX": conda} if conda else {})
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"{setup} {show}"],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == f"{tmp_path}/my repo|{first}|268435456"


@pytest.mark.parametrize(
    ("of_each", "of_job", "seen"),
    [(1, 1, 1), (3, 3, 3), (3, 60, 3), (3, 2, 2)],
    ids=["one", "as many", "of a team", "fewer cores than threads"],
)
@pytest.mark.parametrize("library", ["OMP", "MKL", "OPENBLAS", "RAYON"])
def test_libraries_get_the_threads_of_one_process(
    library: str, of_each: int, of_job: int, seen: int
) -> None:
    """Snakemake tells them those of the whole job, which are those of a team and its readers."""
    setup = setup_of(Path("/repo"), Path("/venv/bin/python"), gpu=True, threads=of_each)
    assert each_of(of_each)(None, of_job) == seen
    shell = ["bash", "-euo", "pipefail", "-c"]
    command = f"{setup(None, of_job)} printenv {library}_NUM_THREADS"
    environment = {"PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": str(of_job)}
    done = subprocess.run([*shell, command], env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == str(seen), done.stderr


@pytest.mark.parametrize(
    ("count", "each", "threads", "seen"), [(1, 1, 1, 1), (4, 2, 8, 4), (4, 2, 5, 2), (4, 2, 1, 1)]
)
def test_a_job_with_fewer_threads_has_fewer_images_in_work(
    count: int, each: int, threads: int, seen: int
) -> None:
    assert at_once_of(count, each)(None, threads) == seen


def test_a_gpu_job_keeps_the_usual_malloc(tmp_path: Path) -> None:
    assert "MALLOC" not in _setup(tmp_path, gpu=True)


def test_the_program_takes_the_place_of_the_shell(tmp_path: Path) -> None:
    command = f"{_setup(tmp_path, gpu=False)} python3 -c 'import os; os.kill(os.getpid(), 9)'"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (-9, "")  # a shell would print the whole command
