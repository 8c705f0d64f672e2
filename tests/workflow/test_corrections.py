"""The round trip: doubtful labels are handed out, and what a person makes of them comes back."""

import json
import re

import pytest

from stages.tables.images import shard_of
from tests.workflow.photographs import logs_of
from tests.workflow.workspace import TINY, Workspace, merged

pytestmark = pytest.mark.long


def _submitted(workspace: Workspace) -> tuple[int, int, int]:
    """Write Label Studio's export: of the first task a region is gone, the others are accepted.

    Returns
    -------
    The image, the annotation that is gone, and one that is accepted.
    """
    path = workspace.results() / "sapnet" / "review" / "label_studio.json"
    first = json.loads(path.read_text())[0]
    regions = first.pop("predictions")[0]["result"]
    first["annotations"] = [{"id": 1, "was_cancelled": False, "result": regions[1:]}]
    (workspace.folder / "export.json").write_text(json.dumps([first]))
    gone, accepted = (int(region["id"].removeprefix("annotation-")) for region in regions[:2])
    return first["data"]["image_id"], gone, accepted


def test_labels_go_out_to_people_and_come_back(workspace: Workspace) -> None:
    outcome = workspace.snakemake("tasks")
    assert outcome.code == 0, outcome.text
    assert outcome.jobs() == {"review": 1}
    assert "tasks: results/tiny/sapnet/review/review.csv" in outcome.text
    image_id, gone, accepted = _submitted(workspace)
    before = json.loads((workspace.results() / "sapnet/export/pseudo_labels.json").read_text())
    masks = {entry["id"]: entry["segmentation"] for entry in before["annotations"]}
    done = workspace.run(
        *("stages.correct", "--labels", "results/tiny/sapnet/export/pseudo_labels.json"),
        *("--corrected", "export.json", "--images", "results/tiny/partworld/train/images"),
        *("--out", "corrections.json"),
    )
    assert done.code == 0, done.text
    workspace.configure(merged(TINY, {"dataset": {"corrections": "corrections.json"}}))
    target = "results/tiny/sapnet/export/pseudo_labels.json"
    outcome = workspace.snakemake(target)
    assert outcome.code == 0, outcome.text
    assert "1 labels deleted" in outcome.text
    after = json.loads((workspace.folder / target).read_text())["annotations"]
    assert {entry["id"] for entry in after} == masks.keys() - {gone}
    entry = next(entry for entry in after if entry["id"] == accepted)
    assert entry["segmentation"] == masks[accepted]
    assert (entry["score"], entry["quality"]["mask_source"]) == (1.0, "given")
    embedded = re.findall(r"embedded (\d+) image", logs_of(workspace, "propose"))
    touched = shard_of(image_id, len(embedded))
    assert embedded == [str(int(shard == touched)) for shard in range(2)]


def test_corrections_that_are_gone_are_told_before_anything_runs(workspace: Workspace) -> None:
    workspace.configure(merged(TINY, {"dataset": {"corrections": "corrections.json"}}))
    outcome = workspace.snakemake("-n")
    assert outcome.code == 1
    assert "dataset.corrections: there is no file corrections.json. Write it with" in outcome.text
