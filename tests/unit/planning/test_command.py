"""What command lines are put together from."""

import argparse
import subprocess
from pathlib import Path

import pytest

from stages.planning.command import flag, flags, shell_prefix


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


def test_the_prefix_leaves_a_conda_environment_its_python(tmp_path: Path) -> None:
    prefix = shell_prefix(tmp_path / "my repo", Path("/venv/bin/python"), gpu=False)
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


@pytest.mark.parametrize(("given", "seen"), [({}, "1"), ({"OMP_NUM_THREADS": "3"}, "3")])
def test_libraries_in_rust_get_the_threads_of_the_rule(given: dict[str, str], seen: str) -> None:
    prefix = shell_prefix(Path("/repo"), Path("/venv/bin/python"), gpu=True)
    plain = prefix.replace("{{", "{").replace("}}", "}")
    shell = ["bash", "-euo", "pipefail", "-c", plain + 'echo "$RAYON_NUM_THREADS"']
    environment = {"PATH": "/usr/bin:/bin", **given}
    done = subprocess.run(shell, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == seen


def test_a_gpu_job_keeps_the_usual_malloc(tmp_path: Path) -> None:
    assert "MALLOC" not in shell_prefix(tmp_path, Path("/venv/bin/python"), gpu=True)
