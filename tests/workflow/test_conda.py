"""--use-conda, with a stand-in conda on PATH: the wiring, not the solving."""

import os
import sys
from pathlib import Path

import pytest

from tests.workflow.workspace import ROOT, Workspace

pytestmark = pytest.mark.long

STAND_IN = ROOT / "tests" / "fakes" / "conda" / "bin"


def conda_environment() -> dict[str, str]:
    """Variables with which Snakemake finds the stand-in."""
    return {"PATH": f"{STAND_IN}:{os.environ['PATH']}", "STAND_IN_PYTHON": sys.executable}


def test_stages_run_in_the_environment_of_their_file(fresh: Workspace) -> None:
    outcome = fresh.snakemake("--use-conda", "--until", "prepare", **conda_environment())
    assert outcome.code == 0, outcome.text
    (environment,) = [path for path in _made(fresh) if path.is_dir()]
    text = (environment / "environment.yaml").read_text()
    assert text == (ROOT / "envs" / "stages.yaml").read_text()
    jobs = sum(outcome.jobs().values())
    assert len((environment / "activated").read_text().splitlines()) == jobs
    assert (fresh.results() / "prepare" / "images.parquet").is_file()


def environments_of(workspace: Workspace) -> set[str]:
    """Texts of the environment files that conda was asked to make."""
    folders = [path for path in _made(workspace) if path.is_dir()]
    return {(folder / "environment.yaml").read_text() for folder in folders}


def _made(workspace: Workspace) -> list[Path]:
    return [path for path in (workspace.folder / ".snakemake" / "conda").iterdir()]


def test_plain_then_with_conda_reruns_nothing(workspace: Workspace) -> None:
    outcome = workspace.snakemake("--use-conda", "-n", **conda_environment())
    assert outcome.code == 0, outcome.text
    assert "Nothing to be done" in outcome.text
