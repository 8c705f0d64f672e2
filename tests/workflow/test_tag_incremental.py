"""One more tag, or one less: with a frozen network of clues SAM looks at one image anew."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.workflow.photographs import export, label, lay_out, logs_of
from tests.workflow.tag_runs import UNTIL_EXPORT, another_tag, exported, on_files, tagged
from tests.workflow.workspace import Workspace

pytestmark = pytest.mark.long

MODEL = "clues.pt"
FROZEN = {"fit_prompt": {"model": MODEL}}


@pytest.fixture(scope="module")
def labelled(finished_from_tags: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A run on files up to export, its clues from the network of the finished run."""
    workspace = lay_out(finished_from_tags, tmp_path_factory.mktemp("files") / "repo")
    network = finished_from_tags.results() / "fit_prompt" / "model.pt"
    shutil.copy2(network, workspace.folder / MODEL)
    coco = tagged(finished_from_tags)
    label(workspace, coco)
    on_files(workspace, FROZEN)
    outcome = export(workspace)
    assert set(outcome.jobs()) == {*UNTIL_EXPORT} - {"fit_prompt"}
    assert embedded(workspace) == len(coco["images"])
    return workspace


def embedded(workspace: Workspace) -> int:
    """How often propose embedded an image, by what its jobs said last."""
    return sum(map(int, re.findall(r"embedded (\d+) image", logs_of(workspace, "propose"))))


def shards(workspace: Workspace) -> dict[str, str]:
    """Digest of every shard of propose."""
    found = workspace.digests("propose").items()
    return {name: digest for name, digest in found if name.startswith("propose/")}


def relabelled(workspace: Workspace, change: Any) -> None:
    """Change the annotations, a list, in place."""
    coco = json.loads((workspace.folder / "labels.json").read_text())
    change(coco)
    label(workspace, coco)


def add(coco: dict[str, Any]) -> None:
    coco["annotations"].append(another_tag(coco))


def remove(coco: dict[str, Any]) -> None:
    """Of the first image with several classes, take all objects of one away."""
    for image in coco["images"]:
        own = [a for a in coco["annotations"] if a["image_id"] == image["id"]]
        gone = [a for a in own if a["category_id"] == own[0]["category_id"]]
        if len(gone) < len(own):
            coco["annotations"] = [a for a in coco["annotations"] if a not in gone]
            return


@pytest.mark.parametrize("change", [add, remove])
def test_another_tag_embeds_one_image_with_a_frozen_network(
    change: Any, labelled: Workspace, tmp_path: Path
) -> None:
    workspace = labelled.copy(tmp_path / "repo")
    before = shards(workspace)
    relabelled(workspace, change)
    outcome = export(workspace)
    assert "fit_prompt" not in outcome.jobs()
    assert embedded(workspace) == 1
    after = shards(workspace)
    assert len([name for name in before if before[name] != after[name]]) == 1


def test_a_frozen_network_gives_the_labels_of_the_run_that_trained_it(
    labelled: Workspace, finished_from_tags: Workspace
) -> None:
    assert exported(labelled)["annotations"] == exported(finished_from_tags)["annotations"]


@pytest.mark.parametrize("change", [add, remove])
def test_without_one_another_tag_trains_the_clues_anew_and_a_dry_run_says_so(
    change: Any, labelled: Workspace, tmp_path: Path
) -> None:
    workspace = labelled.copy(tmp_path / "repo")
    on_files(workspace)
    done = workspace.snakemake("--until", "prompt")  # fit_prompt is there, all is new to propose
    assert done.code == 0, done.text
    assert workspace.snakemake("-n", "--until", "prompt").jobs() == {}
    relabelled(workspace, change)
    outcome = workspace.snakemake("-n", "--until", "export")
    assert outcome.code == 0, outcome.text
    assert set(outcome.jobs()) == set(UNTIL_EXPORT)
