"""Tags and masks in one file: a given mask stands, and the tags say nothing new of its object."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from stages.geometry.boxes import box_iou
from stages.tables.proposals import PROPOSALS
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.table import read_tables
from tests.workflow.photographs import label, lay_out
from tests.workflow.tag_runs import VARIANT, exported, on_files, tagged
from tests.workflow.workspace import Workspace

pytestmark = pytest.mark.long

CORRECTION, ALONE = 5001, 5002  # ids of the masks
UNLABELLED, MASKED = 7001, 7002  # photographs beside those of the tiny run
SQUARE = [[8.0, 8.0, 40.0, 8.0, 40.0, 40.0, 8.0, 40.0]]
Labels = dict[str, Any]


def corrected(finished: Workspace) -> dict[str, Any]:
    """An annotation that gives the first mask that came of a tag in the finished run."""
    found = exported(finished)["annotations"][0]
    names = ("image_id", "category_id", "segmentation")
    return {**{name: found[name] for name in names}, "id": CORRECTION}


@pytest.fixture(scope="module")
def labelled(finished_from_tags: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A finished run on the tags of the tiny run, a correction, and two photographs more."""
    workspace = lay_out(finished_from_tags, tmp_path_factory.mktemp("mixed") / "repo")
    coco = tagged(finished_from_tags)
    for number in (UNLABELLED, MASKED):
        name = f"{number}.png"
        pixels = np.full((48, 64, 3), number % 251, np.uint8)
        Image.fromarray(pixels).save(workspace.folder / "photographs" / name)
        coco["images"].append({"id": number, "file_name": name, "height": 48, "width": 64})
    alone = {"id": ALONE, "image_id": MASKED, "category_id": 1, "segmentation": SQUARE}
    coco["annotations"] += [corrected(finished_from_tags), alone]
    label(workspace, coco)
    on_files(workspace, {"prepare": {"labels": "given"}})
    outcome = workspace.snakemake()
    assert outcome.code == 0, outcome.text
    return workspace


def of_image(labels: Labels, image_id: int) -> list[Labels]:
    return [entry for entry in labels["annotations"] if entry["image_id"] == image_id]


def on_it(entries: list[Labels], mask: Labels) -> list[int]:
    """Ids of other annotations of its class whose box has IoU 0.5 with that of the mask."""
    rivals = [e for e in entries if e["category_id"] == mask["category_id"] and e is not mask]
    boxes = np.array([_corners(e["bbox"]) for e in [mask, *rivals]])
    near = box_iou(boxes[1:], boxes[:1])[:, 0] >= 0.5
    return [entry["id"] for entry, is_near in zip(rivals, near, strict=True) if is_near]


def _corners(bbox: list[float]) -> list[float]:
    x, y, width, height = bbox
    return [x, y, x + width, y + height]


def test_a_mask_of_a_tagged_class_passes_through_and_nothing_lies_on_it(
    labelled: Workspace, finished_from_tags: Workspace
) -> None:
    given = corrected(finished_from_tags)
    before = of_image(exported(finished_from_tags), given["image_id"])
    after = of_image(exported(labelled), given["image_id"])
    (mask,) = (entry for entry in after if entry["id"] == CORRECTION)
    assert mask["segmentation"] == given["segmentation"]
    assert on_it(after, mask) == []
    others = {e["category_id"] for e in before} - {given["category_id"]}
    assert others <= {e["category_id"] for e in after}  # tags of other classes stand


def test_given_masks_bear_their_source(labelled: Workspace) -> None:
    paths = sorted((labelled.results() / VARIANT / "refine").glob("shard-*.parquet"))
    rows = read_tables(paths, PSEUDO_LABELS).to_pylist()
    given = {row["instance_id"] for row in rows if row["mask_source"] == "given"}
    assert given == {CORRECTION, ALONE}
    assert all(row["instance_id"] in given or row["instance_id"] < 0 for row in rows)


def test_other_images_have_the_labels_that_they_had(
    labelled: Workspace, finished_from_tags: Workspace
) -> None:
    beside = {corrected(finished_from_tags)["image_id"], MASKED}
    masks = [
        [
            (entry["image_id"], entry["category_id"], entry["segmentation"]["counts"])
            for entry in exported(workspace)["annotations"]
            if entry["image_id"] not in beside
        ]
        for workspace in (labelled, finished_from_tags)
    ]
    assert masks[0] == masks[1]


def test_an_image_without_labels_or_with_masks_alone_goes_through(labelled: Workspace) -> None:
    data = exported(labelled)
    assert {UNLABELLED, MASKED} <= {image["id"] for image in data["images"]}
    assert of_image(data, UNLABELLED) == []
    assert [entry["id"] for entry in of_image(data, MASKED)] == [ALONE]
    paths = sorted((labelled.results() / "propose").glob("shard-*.parquet"))
    asked = set(read_tables(paths, PROPOSALS).column("image_id").to_pylist())
    assert asked.isdisjoint({UNLABELLED, MASKED})


def test_ids_that_are_born_of_tags_lie_above_the_own_ones(labelled: Workspace) -> None:
    ids = [entry["id"] for entry in exported(labelled)["annotations"]]
    assert len(ids) == len(set(ids))
    assert min(set(ids) - {CORRECTION, ALONE}) > ALONE


def test_given_masks_are_counted_by_evaluate(labelled: Workspace) -> None:
    path = labelled.results() / VARIANT / "evaluate" / "metrics.json"
    metrics = json.loads(path.read_text())
    assert metrics["counts"]["given"] == metrics["counts"]["instances"] == 2
    assert metrics["pseudo_labels"]["annotations"] == len(exported(labelled)["annotations"])
    assert metrics["counts"]["images"] == metrics["tags"]["images"] + 2


def test_a_point_beside_tags_is_refused_by_name(labelled: Workspace, tmp_path: Path) -> None:
    workspace = labelled.copy(tmp_path / "repo")
    coco = json.loads((workspace.folder / "labels.json").read_text())
    point = {"id": 6001, "image_id": UNLABELLED, "category_id": 1, "point": [9.0, 9.0]}
    label(workspace, {**coco, "annotations": [*coco["annotations"], point]})
    outcome = workspace.snakemake("--until", "prompt")
    assert outcome.code != 0
    assert "label 6001: a point of class 1, and no prompter of prompt.sources" in outcome.text
    assert "Traceback" not in outcome.text
