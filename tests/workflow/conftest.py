"""Two finished tiny runs per session, from points and from tags; tests work in copies of them."""

from pathlib import Path

import pytest

from tests.workflow.tag_runs import tiny_from_tags
from tests.workflow.workspace import Workspace, new_workspace


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A finished tiny run. Do not write into it; ask for `workspace` instead."""
    return _run(new_workspace(tmp_path_factory.mktemp("finished") / "repo"))


@pytest.fixture(scope="session")
def finished_from_tags(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A finished tiny run from image tags. Do not write into it; ask for `from_tags` instead."""
    workspace = new_workspace(tmp_path_factory.mktemp("from_tags") / "repo")
    workspace.configure(tiny_from_tags())
    return _run(workspace)


def _run(workspace: Workspace) -> Workspace:
    outcome = workspace.snakemake()
    (workspace.folder / "output.txt").write_text(outcome.text)
    assert outcome.code == 0, outcome.text
    return workspace


@pytest.fixture
def workspace(finished: Workspace, tmp_path: Path) -> Workspace:
    """A copy of the finished tiny run."""
    return finished.copy(tmp_path / "repo")


@pytest.fixture
def from_tags(finished_from_tags: Workspace, tmp_path: Path) -> Workspace:
    """A copy of the finished tiny run from tags."""
    return finished_from_tags.copy(tmp_path / "repo")


@pytest.fixture
def fresh(tmp_path: Path) -> Workspace:
    """A copy of the repository without results."""
    return new_workspace(tmp_path / "repo")
