"""One more click, or one more photograph: the segmenter looks at one image, one shard changes."""

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.workflow.photographs import Coco, configure, export, label, lay_out, logs_of, pointed
from tests.workflow.workspace import Workspace

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def labelled(finished: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A finished run on files; one photograph is there that no label speaks of."""
    workspace = lay_out(finished, tmp_path_factory.mktemp("files") / "repo")
    coco = pointed(finished)
    last = coco["images"][-1]["id"]
    coco["images"] = [image for image in coco["images"] if image["id"] != last]
    coco["annotations"] = [a for a in coco["annotations"] if a["image_id"] != last]
    label(workspace, coco)
    configure(workspace)
    export(workspace)
    assert embedded(workspace) == len(coco["images"])
    return workspace


def embedded(workspace: Workspace) -> int:
    """How often propose embedded an image, by what its jobs said last."""
    return sum(map(int, re.findall(r"embedded (\d+) image", logs_of(workspace, "propose"))))


def shards(workspace: Workspace) -> dict[str, str]:
    """Digest of every shard of propose."""
    found = workspace.digests("propose").items()
    return {name: digest for name, digest in found if name.startswith("propose/")}


def more(finished: Workspace, workspace: Workspace) -> tuple[Coco, Coco]:
    """The labels of the workspace, and all that there are."""
    return json.loads((workspace.folder / "labels.json").read_text()), pointed(finished)


def test_one_more_click_embeds_one_image(
    labelled: Workspace, finished: Workspace, tmp_path: Path
) -> None:
    workspace = labelled.copy(tmp_path / "repo")
    coco, _ = more(finished, workspace)
    click = dict(coco["annotations"][0])
    coco["annotations"].append({**click, "id": 9999, "point": [5.0, 5.0]})
    label(workspace, coco)
    export(workspace)
    assert embedded(workspace) == 1


def test_one_more_photograph_embeds_one_image_and_changes_one_shard(
    labelled: Workspace, finished: Workspace, tmp_path: Path
) -> None:
    workspace = labelled.copy(tmp_path / "repo")
    before = shards(workspace)
    label(workspace, more(finished, workspace)[1])
    export(workspace)
    assert embedded(workspace) == 1
    after = shards(workspace)
    assert len(after) == 2
    assert len([name for name in before if before[name] != after[name]]) == 1


def test_tidy_leaves_a_run_that_needs_nothing(labelled: Workspace, tmp_path: Path) -> None:
    workspace = labelled.copy(tmp_path / "repo")
    before = workspace.digests("propose", "answers")
    outcome = workspace.snakemake("tidy")
    assert outcome.code == 0, outcome.text
    assert workspace.digests("propose", "answers") == before
    shutil.rmtree(workspace.results() / "propose")
    export(workspace)
    assert embedded(workspace) == 0  # every answer was still there
