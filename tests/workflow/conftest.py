"""Finished tiny runs per session, from points, from tags, of rounds; tests work in copies."""

import json
from pathlib import Path
from typing import Any

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


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The drawn world of the tiny run, and nothing else of it; not to be written into."""
    workspace = new_workspace(tmp_path_factory.mktemp("drawn") / "repo")
    world = workspace.results() / "partworld"
    files = [world / split / "annotations.json" for split in ("train", "val")]
    _run(workspace, *(str(path.relative_to(workspace.folder)) for path in files))
    return world


def _run(workspace: Workspace, *targets: str) -> Workspace:
    outcome = workspace.snakemake(*targets)
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


@pytest.fixture
def scenes(drawn: Path, fresh: Workspace) -> dict[str, Any]:
    """Section `dataset` that names scenes as files, four to label and two held out."""
    for split, count in (("train", 4), ("val", 2)):
        (fresh.folder / split).symlink_to(drawn / split / "images")
        coco = json.loads((drawn / split / "annotations.json").read_text())
        coco["images"] = coco["images"][:count]
        ids = {image["id"] for image in coco["images"]}
        coco["annotations"] = [a for a in coco["annotations"] if a["image_id"] in ids]
        (fresh.folder / f"{split}.json").write_text(json.dumps(coco))
    splits = {
        split: {"images": split, "annotations": f"{split}.json"} for split in ("train", "val")
    }
    return {"source": "files", **splits}
