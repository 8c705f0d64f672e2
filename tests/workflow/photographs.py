"""The scenes of the tiny run as files of a user: photographs, and labels that point at objects."""

import json
from pathlib import Path
from typing import Any

from tests.workflow.workspace import TINY, Outcome, Workspace, merged

Coco = dict[str, Any]


def centre(annotation: dict[str, Any]) -> list[float]:
    """[x, y] px, the middle of an annotation's box."""
    x, y, width, height = annotation["bbox"]
    return [x + width / 2, y + height / 2]


def pointed(finished: Workspace) -> Coco:
    """The tiny run's training file with a point for each object, and nothing else."""
    path = finished.results() / "partworld" / "train" / "annotations.json"
    truth: Coco = json.loads(path.read_text())
    objects = [item for item in truth["annotations"] if not item["iscrowd"]]
    names = ("id", "image_id", "category_id")
    labels = [{**{name: item[name] for name in names}, "point": centre(item)} for item in objects]
    return {"images": truth["images"], "categories": truth["categories"], "annotations": labels}


def lay_out(finished: Workspace, folder: Path) -> Workspace:
    """A copy of the repository with the tiny run's training scenes in `photographs`, no results."""
    workspace = finished.copy(folder)
    (workspace.results() / "partworld" / "train" / "images").rename(
        workspace.folder / "photographs"
    )
    for path in (workspace.folder / "results", workspace.folder / ".snakemake"):
        path.rename(path.with_name(f"{path.name}-before"))
    return workspace


def label(workspace: Workspace, coco: Coco) -> None:
    """Write the labels."""
    (workspace.folder / "labels.json").write_text(json.dumps(coco))


def configure(workspace: Workspace, **changes: Any) -> None:
    """Set the workspace up for its own files; nothing is scored or trained."""
    split = {"images": "photographs", "annotations": "labels.json"}
    files = {"source": "files", "train": split, "ground_truth": False}
    workspace.configure(merged(TINY, {"dataset": files}, changes))


def export(workspace: Workspace) -> Outcome:
    """Run up to export; must succeed."""
    outcome = workspace.snakemake("--until", "export")
    assert outcome.code == 0, outcome.text
    return outcome


def logs_of(workspace: Workspace, stage: str) -> str:
    """What all jobs of a stage said."""
    found = sorted(workspace.results().rglob(f"logs/{stage}/*.log"))
    return "\n".join(path.read_text() for path in found)
