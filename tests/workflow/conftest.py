"""Finished tiny runs per session, from points, from tags, of rounds; tests work in copies."""

from pathlib import Path

import pytest

from tests.workflow.round_runs import tiny_twice
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


@pytest.fixture(scope="session")
def finished_twice(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A finished tiny run of two rounds. Do not write into it; ask for `twice` instead."""
    workspace = new_workspace(tmp_path_factory.mktemp("twice") / "repo")
    workspace.configure(tiny_twice())
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
def twice(finished_twice: Workspace, tmp_path: Path) -> Workspace:
    """A copy of the finished tiny run of two rounds."""
    return finished_twice.copy(tmp_path / "repo")


@pytest.fixture
def fresh(tmp_path: Path) -> Workspace:
    """A copy of the repository without results."""
    return new_workspace(tmp_path / "repo")
