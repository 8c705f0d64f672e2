"""One finished tiny run per session; tests work in copies of it."""

from pathlib import Path

import pytest

from tests.workflow.workspace import Workspace, new_workspace


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A finished tiny run. Do not write into it; ask for `workspace` instead."""
    workspace = new_workspace(tmp_path_factory.mktemp("finished") / "repo")
    outcome = workspace.snakemake()
    (workspace.folder / "output.txt").write_text(outcome.text)
    assert outcome.code == 0, outcome.text
    return workspace


@pytest.fixture
def workspace(finished: Workspace, tmp_path: Path) -> Workspace:
    """A copy of the finished tiny run."""
    return finished.copy(tmp_path / "repo")


@pytest.fixture
def fresh(tmp_path: Path) -> Workspace:
    """A copy of the repository without results."""
    return new_workspace(tmp_path / "repo")
