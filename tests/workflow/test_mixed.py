"""Points, boxes and given masks in one file go through the whole DAG; tags are refused by name."""

import json
from pathlib import Path
from typing import Any

import pytest

from stages.geometry.masks import segmentation_to_rle
from stages.tables.proposals import PROPOSALS
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.table import read_tables
from tests.workflow.photographs import Coco, configure, export, label, lay_out, pointed
from tests.workflow.workspace import Workspace

pytestmark = pytest.mark.long

KINDS = ("point", "box", "mask")


def mixed(finished: Workspace) -> tuple[Coco, dict[int, str]]:
    """The tiny run's objects, by turns with a point, a box or a mask; and which has which."""
    path = finished.results() / "partworld" / "train" / "annotations.json"
    truth = {item["id"]: item for item in json.loads(path.read_text())["annotations"]}
    coco, kinds = pointed(finished), dict[int, str]()
    for number, entry in enumerate(coco["annotations"]):
        kind = kinds[entry["id"]] = KINDS[number % 3]
        whole = truth[entry["id"]]
        if kind != "point":
            del entry["point"]
            key = {"box": "bbox", "mask": "segmentation"}[kind]
            entry[key] = whole[key]
    return coco, kinds


@pytest.fixture(scope="module")
def labelled(
    finished: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Workspace, dict[int, str]]:
    """A run on a mixed file, up to export, and the kind of each object's label."""
    workspace = lay_out(finished, tmp_path_factory.mktemp("mixed") / "repo")
    coco, kinds = mixed(finished)
    label(workspace, coco)
    configure(workspace, prepare={"labels": "given"})
    outcome = export(workspace)
    counts = {kind: list(kinds.values()).count(kind) for kind in KINDS}
    assert (
        f"{counts['point']} points, {counts['box']} boxes, {counts['mask']} masks" in outcome.text
    )
    return workspace, kinds


def rows_of(workspace: Workspace, folder: str, record: Any) -> list[dict[str, Any]]:
    paths = sorted((workspace.results() / folder).glob("shard-*.parquet"))
    rows: list[dict[str, Any]] = read_tables(paths, record).to_pylist()
    return rows


def test_points_and_boxes_have_bags_and_masks_have_none(
    labelled: tuple[Workspace, dict[int, str]],
) -> None:
    workspace, kinds = labelled
    prompts: dict[int, set[str]] = {}
    for row in rows_of(workspace, "propose", PROPOSALS):
        prompts.setdefault(row["bag_id"], set()).add(row["prompt_kind"])
    assert set(prompts) == {number for number, kind in kinds.items() if kind != "mask"}
    for number, seen in prompts.items():
        assert kinds[number] in seen
        assert kinds[number] == "point" or seen == {"box"}


def test_given_masks_come_out_unchanged(
    labelled: tuple[Workspace, dict[int, str]],
) -> None:
    workspace, kinds = labelled
    labels = json.loads((workspace.folder / "labels.json").read_text())
    given = {a["id"]: a["segmentation"] for a in labels["annotations"] if "segmentation" in a}
    rows = {row["instance_id"]: row for row in rows_of(workspace, "sapnet/refine", PSEUDO_LABELS)}
    assert set(rows) == set(kinds)
    path = workspace.results() / "sapnet" / "export" / "pseudo_labels.json"
    written = {a["id"]: a for a in json.loads(path.read_text())["annotations"]}
    assert set(written) == set(kinds)
    for number, kind in kinds.items():
        assert (rows[number]["mask_source"] == "given") == (kind == "mask")
        if kind == "mask":
            size = rows[number]["height"], rows[number]["width"]
            wanted = segmentation_to_rle(given[number], *size)["counts"]
            assert rows[number]["rle"] == wanted
            assert written[number]["segmentation"]["counts"].encode() == wanted


def test_a_given_box_is_the_box_that_is_trained(
    labelled: tuple[Workspace, dict[int, str]],
) -> None:
    workspace, kinds = labelled
    labels = json.loads((workspace.folder / "labels.json").read_text())
    path = workspace.results() / "sapnet" / "export" / "pseudo_labels.json"
    written = {a["id"]: a for a in json.loads(path.read_text())["annotations"]}
    for entry in labels["annotations"]:
        if kinds[entry["id"]] == "box":
            assert written[entry["id"]]["bbox"] == pytest.approx(entry["bbox"], abs=0.01)


def test_given_masks_cannot_score_the_labels(
    labelled: tuple[Workspace, dict[int, str]], tmp_path: Path
) -> None:
    workspace = labelled[0].copy(tmp_path / "repo")
    configure(workspace, prepare={"labels": "given"}, dataset={"ground_truth": True})
    outcome = workspace.snakemake("--until", "prepare")
    assert outcome.code != 0
    assert "masks are labels; but dataset.ground_truth is true" in outcome.text
    assert "Traceback" not in outcome.text


def test_a_tag_is_refused_by_name(
    labelled: tuple[Workspace, dict[int, str]], tmp_path: Path
) -> None:
    workspace = labelled[0].copy(tmp_path / "repo")
    coco = json.loads((workspace.folder / "labels.json").read_text())
    tag = {name: coco["annotations"][0][name] for name in ("image_id", "category_id")}
    label(workspace, {**coco, "annotations": [*coco["annotations"], {"id": 4321, **tag}]})
    outcome = workspace.snakemake("--until", "export")
    assert outcome.code != 0
    assert "4321" in outcome.text
    assert "tag" in outcome.text
    assert "Traceback" not in outcome.text
