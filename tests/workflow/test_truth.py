"""No stage but prepare, which draws the points, and evaluate reads a ground-truth mask."""

import json
from pathlib import Path
from typing import Any

from stages.files.records import WEAK_LABELS, read_table
from tests.workflow.workspace import TINY, UNTIL_EXPORT, Workspace, merged


def _with_points(workspace: Workspace) -> dict[str, Any]:
    """The training annotations of the tiny run, each with the point that was drawn for it."""
    truth: dict[str, Any] = json.loads(
        (workspace.results() / "partworld/train/annotations.json").read_text()
    )
    labels = read_table(workspace.results() / "prepare/weak_labels.parquet", WEAK_LABELS)
    points = {row["instance_id"]: [row["x"], row["y"]] for row in labels.to_pylist()}
    for annotation in truth["annotations"]:
        annotation["point"] = points.get(annotation["id"], [0, 0])
    return truth


def _run(workspace: Workspace, annotations: Path) -> dict[str, str]:
    images = workspace.folder / "photographs"
    if not images.exists():
        (workspace.results() / "partworld/train/images").rename(images)
    split = {"images": str(images), "annotations": str(annotations)}
    dataset = {"source": "files", "train": split, "ground_truth": False}
    changes = {"dataset": dataset, "prepare": {"point": "given"}, "shards": 1}
    workspace.configure(merged(TINY, changes))
    outcome = workspace.snakemake("--until", "export")
    assert outcome.code == 0, outcome.text
    return workspace.digests(*UNTIL_EXPORT)


def test_without_masks_everything_up_to_export_is_the_same(workspace: Workspace) -> None:
    truth = _with_points(workspace)
    whole, stripped = workspace.folder / "whole.json", workspace.folder / "stripped.json"
    whole.write_text(json.dumps(truth))
    for annotation in truth["annotations"]:
        for key in ("segmentation", "bbox", "area", "cluster", "difficulty"):
            annotation.pop(key, None)
    stripped.write_text(json.dumps(truth))
    with_masks = _run(workspace, whole)
    assert len(with_masks) > 10
    assert _run(workspace, stripped) == with_masks
