"""What must not change the result: the number of shards, and masks that no stage may read."""

import json
from pathlib import Path
from typing import Any

import pytest

from stages.tables.table import read_table
from stages.tables.weak_labels import WEAK_LABELS
from tests.workflow.tag_runs import UNTIL_EXPORT as UNTIL_EXPORT_OF_TAGS
from tests.workflow.tag_runs import on_files
from tests.workflow.workspace import TINY, UNTIL_EXPORT, Workspace, merged

pytestmark = pytest.mark.long

TRUTH = ("segmentation", "bbox", "area", "cluster", "difficulty")


def _truth_with_points(workspace: Workspace) -> dict[str, Any]:
    """The training annotations of the tiny run, each with the point that was drawn for it."""
    truth: dict[str, Any] = json.loads(
        (workspace.results() / "partworld/train/annotations.json").read_text()
    )
    labels = read_table(workspace.results() / "prepare/weak_labels.parquet", WEAK_LABELS)
    points = {row["instance_id"]: [row["x"], row["y"]] for row in labels.to_pylist()}
    for annotation in truth["annotations"]:
        if annotation["id"] in points:  # a crowd has none, or it would be taken as an object
            annotation["point"] = points[annotation["id"]]
    return truth


def _run_on_points(workspace: Workspace, truth: dict[str, Any]) -> None:
    """Run up to export, in one shard, on the points in the annotations; nothing is evaluated."""
    (workspace.folder / "labels.json").write_text(json.dumps(truth))
    split = {"images": "photographs", "annotations": "labels.json"}
    dataset = {"source": "files", "train": split, "ground_truth": False}
    changes = {"dataset": dataset, "prepare": {"labels": "point"}, "shards": 1}
    workspace.configure(merged(TINY, changes))
    outcome = workspace.snakemake("--until", "export")
    assert outcome.code == 0, outcome.text


@pytest.fixture(scope="module")
def with_masks(finished: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The images and points of the tiny run as files of a user, masks included, in one shard."""
    workspace = finished.copy(tmp_path_factory.mktemp("points") / "repo")
    truth = _truth_with_points(workspace)
    (workspace.results() / "partworld/train/images").rename(workspace.folder / "photographs")
    _run_on_points(workspace, truth)
    return workspace


def test_one_shard_and_two_give_the_same_export(finished: Workspace, with_masks: Workspace) -> None:
    assert len(list(_shards(finished))) == 2
    assert len(list(_shards(with_masks))) == 3  # one new, two of the run that was copied
    assert with_masks.digests("export") == finished.digests("export")


def _shards(workspace: Workspace) -> list[Path]:
    return list((workspace.results() / "propose").glob("*.parquet"))


def test_without_masks_everything_up_to_export_is_the_same(
    with_masks: Workspace, tmp_path: Path
) -> None:
    stripped = with_masks.copy(tmp_path / "repo")
    truth = json.loads((with_masks.folder / "labels.json").read_text())
    for annotation in truth["annotations"]:
        for key in TRUTH:
            del annotation[key]
    before = with_masks.digests(*UNTIL_EXPORT)
    _run_on_points(stripped, truth)
    assert stripped.digests(*UNTIL_EXPORT) == before
    logs = ("logs/prepare.log", "sapnet/logs/export.log")
    for name in logs:  # both really ran again
        newer, older = (w.results() / name for w in (stripped, with_masks))
        assert newer.stat().st_mtime > older.stat().st_mtime


@pytest.fixture(scope="module")
def tags_with_masks(
    finished_from_tags: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> Workspace:
    """The images of the tiny run from tags as files of a user, masks included, in one shard."""
    workspace = finished_from_tags.copy(tmp_path_factory.mktemp("tags") / "repo")
    folder = workspace.results() / "partworld" / "train"
    (folder / "images").rename(workspace.folder / "photographs")
    _run_on_tags(workspace, json.loads((folder / "annotations.json").read_text()))
    return workspace


def _run_on_tags(workspace: Workspace, truth: dict[str, Any]) -> None:
    """Run up to export, in one shard, on the classes of the annotations."""
    (workspace.folder / "labels.json").write_text(json.dumps(truth))
    on_files(workspace, {"shards": 1})
    outcome = workspace.snakemake("--until", "export")
    assert outcome.code == 0, outcome.text


def test_from_tags_one_shard_and_two_give_the_same_export(
    finished_from_tags: Workspace, tags_with_masks: Workspace
) -> None:
    assert len(list(_shards(finished_from_tags))) == 2
    assert len(list(_shards(tags_with_masks))) == 3  # one new, two of the run that was copied
    assert tags_with_masks.digests("export") == finished_from_tags.digests("export")
    assert tags_with_masks.digests("fit_prompt") == finished_from_tags.digests("fit_prompt")


def test_from_tags_without_masks_and_boxes_everything_up_to_export_is_the_same(
    tags_with_masks: Workspace, tmp_path: Path
) -> None:
    stripped = tags_with_masks.copy(tmp_path / "repo")
    truth = json.loads((tags_with_masks.folder / "labels.json").read_text())
    for annotation in truth["annotations"]:
        for key in TRUTH:
            del annotation[key]
    before = tags_with_masks.digests(*UNTIL_EXPORT_OF_TAGS)
    _run_on_tags(stripped, truth)
    assert stripped.digests(*UNTIL_EXPORT_OF_TAGS) == before
    for name in ("logs/prepare.log", "logs/fit_prompt.log", "weaksam/logs/export.log"):
        newer, older = (w.results() / name for w in (stripped, tags_with_masks))
        assert newer.stat().st_mtime > older.stat().st_mtime  # all really ran again
