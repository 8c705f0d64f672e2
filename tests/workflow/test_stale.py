"""Whatever a result depends on is seen: other content reruns, a touch or a copy does not."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.workflow.photographs import configure, export, label, lay_out, pointed
from tests.workflow.test_kill import ASSASSIN
from tests.workflow.workspace import Workspace

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def labelled(finished: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A finished run on files up to export. Do not write into it."""
    workspace = lay_out(finished, tmp_path_factory.mktemp("stale") / "repo")
    label(workspace, pointed(finished))
    configure(workspace, prepare={"undecodable": "skip"})
    export(workspace)
    return workspace


@pytest.fixture
def mine(labelled: Workspace, tmp_path: Path) -> Workspace:
    """A copy of the finished run on files."""
    return labelled.copy(tmp_path / "repo")


def first_photograph(workspace: Workspace) -> Path:
    return sorted((workspace.folder / "photographs").glob("*.png"))[0]


def planned(workspace: Workspace) -> dict[str, int]:
    outcome = workspace.snakemake("-n", "--until", "export")
    assert outcome.code == 0, outcome.text
    return outcome.jobs()


def test_a_touch_and_a_copy_rerun_nothing(mine: Workspace) -> None:
    for path in (mine.folder / "photographs").iterdir():
        path.touch()
    copy = mine.folder / "copy.json"
    shutil.copyfile(mine.folder / "labels.json", copy)
    copy.replace(mine.folder / "labels.json")
    assert planned(mine) == {}


def test_another_photograph_of_equal_size_is_noticed(mine: Workspace) -> None:
    path = first_photograph(mine)
    pixels = np.asarray(Image.open(path))
    Image.fromarray(np.ascontiguousarray(pixels[::-1])).save(path)
    assert planned(mine)["prepare"] == 1


def test_labels_with_an_older_date_are_noticed(mine: Workspace) -> None:
    path = mine.folder / "labels.json"
    coco = json.loads(path.read_text())
    coco["annotations"][0]["point"][0] += 1
    label(mine, coco)
    os.utime(path, (1_000_000_000, 1_000_000_000))
    assert planned(mine)["prepare"] == 1


def test_a_photograph_that_was_broken_and_is_repaired_is_labelled(mine: Workspace) -> None:
    path = first_photograph(mine)
    whole = path.read_bytes()
    path.write_bytes(whole[:60])
    export(mine)
    exported = mine.results() / "sapnet" / "export" / "pseudo_labels.json"
    few = len(json.loads(exported.read_text())["images"])
    path.write_bytes(whole)
    export(mine)
    assert len(json.loads(exported.read_text())["images"]) == few + 1


def test_results_of_another_seed_are_named(mine: Workspace) -> None:
    shutil.rmtree(mine.folder / ".snakemake")
    assert planned(mine) == {}  # the same settings: nothing to be done
    outcome = mine.snakemake("-n", "--until", "export", "--config", "seed=7")
    assert outcome.code != 0
    assert "seed 0" in outcome.text
    assert "prepare" in outcome.text
    assert "Traceback" not in outcome.text


@pytest.mark.parametrize("change", ["swapped names", "another photograph"])
def test_a_killed_propose_ends_with_masks_of_the_right_photograph(
    change: str, labelled: Workspace, tmp_path: Path
) -> None:
    mine, undisturbed = (labelled.copy(tmp_path / name) for name in ("mine", "undisturbed"))
    for workspace in (mine, undisturbed):
        shutil.rmtree(workspace.results() / "propose")
        shutil.rmtree(workspace.results() / "answers")
    (mine.folder / "sitecustomize.py").write_text(ASSASSIN)
    where = "stage:after:*.parts/*/part-000000.parquet"
    assert mine.snakemake("--until", "propose", KILL_AT=where).code != 0
    for workspace in (mine, undisturbed):
        alter(workspace, change)
        export(workspace)
    assert tables(mine) == tables(undisturbed)


def tables(workspace: Workspace) -> dict[str, str]:
    """What the stages have written; the lists of answers may name more than is used."""
    found = workspace.digests("prepare", "propose", "select", "refine", "export").items()
    return {name: digest for name, digest in found if not name.startswith("answers")}


def alter(workspace: Workspace, change: str) -> None:
    """Give an image another photograph of the same size: by name, or by content."""
    coco = json.loads((workspace.folder / "labels.json").read_text())
    if change == "swapped names":
        first, second = coco["images"][:2]
        names = first["file_name"], second["file_name"]
        second["file_name"], first["file_name"] = names
        label(workspace, coco)
        return
    for path in (workspace.folder / "photographs").glob("*.png"):
        pixels = np.asarray(Image.open(path))
        Image.fromarray(np.ascontiguousarray(pixels[::-1])).save(path)
