"""Other formats are written from finished labels; nothing else reruns for them."""

import pytest

from tests.workflow.workspace import TINY, Workspace

pytestmark = pytest.mark.long


def test_formats_that_are_chosen_later_are_written_from_finished_labels(
    workspace: Workspace,
) -> None:
    formats = ["coco_rle", "coco_polygons", "voc", "yolo", "labelme"]
    before = workspace.digests("train", "evaluate")
    workspace.configure({**TINY, "export": {"formats": formats}})
    assert workspace.snakemake("-n").jobs() == {"convert": 4}  # pseudo_labels.json is coco_rle
    outcome = workspace.snakemake()
    assert outcome.code == 0, outcome.text
    folder = workspace.results() / "sapnet" / "export"
    assert {path.name for path in folder.iterdir() if path.is_dir()} == set(formats[1:])
    assert workspace.digests("train", "evaluate") == before
    workspace.configure({**TINY, "export": {"formats": formats, "category_ids": "from_one"}})
    assert workspace.snakemake("-n").jobs() == {"convert": 2}  # those that hold ids of classes
