"""Names of the user's folders that mean something to Snakemake, to a shell or to a program."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.workflow.photographs import configure, label, lay_out, pointed
from tests.workflow.workspace import Workspace, merged

pytestmark = pytest.mark.long

NAMES = {  # Snakemake's own readings are linked away; the rest is quoted
    "wildcard": "{old} set",
    "our own wildcard": "{home}",
    "a brace": "a{b",
    "path variable": "<results>",
    "flag": "-new",
    "line break": "a\nb",
    "quotes": 'it\'s "mine"',
    "shell": "*?[a] $HOME ~ \\ ;`false`",
    "format": "50% %s {} {0}",
    "letters": "ünï 日本",
}
WORST = '-{home} <old> {old,x} it\'s "mine" 50% %s *?[a] $HOME ünï \\ ;`false` \n end'


def _lay_out(workspace: Workspace, finished: Workspace, name: str) -> dict[str, Any]:
    """Move photographs, labels and weights to a folder of this name; the settings that say so."""
    label(workspace, pointed(finished))
    folder = workspace.folder / name
    folder.mkdir()
    for file in ("photographs", "labels.json"):
        (workspace.folder / file).rename(folder / file)
    shutil.copy(workspace.folder / "workflow" / "resources" / "vit_tiny.pth", folder / "tiny.pth")
    split = {"images": f"{name}/photographs", "annotations": f"{name}/labels.json"}
    weights = {"sam": {"checkpoint": f"{name}/tiny.pth"}}
    return {"dataset": {"train": split, "val": split}, "propose": weights}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_folder_of_any_name_is_planned(name: str, finished: Workspace, tmp_path: Path) -> None:
    workspace = lay_out(finished, tmp_path / "repo")
    configure(workspace, **_lay_out(workspace, finished, name))
    outcome = workspace.snakemake("-n")
    assert outcome.code == 0, outcome.text
    assert outcome.jobs()["train"] == 1


def test_a_folder_of_the_worst_name_runs(finished: Workspace, tmp_path: Path) -> None:
    workspace = lay_out(finished, tmp_path / "repo")
    configure(workspace, **merged({"shards": 1}, _lay_out(workspace, finished, WORST)))
    model = "results/tiny/sapnet/train/torchvision/model.pt"
    outcome = workspace.snakemake(model)
    assert outcome.code == 0, outcome.text
    assert "Nothing to be done" in workspace.snakemake(model).text


def test_a_clone_in_braces_is_refused_in_one_sentence(fresh: Workspace) -> None:
    moved = fresh.copy(fresh.folder.with_name("{old} repo"))
    outcome = moved.snakemake("-n")
    assert outcome.code != 0
    assert "{old} repo: Snakemake misreads braces here." in outcome.text
    assert "Traceback" not in outcome.text
