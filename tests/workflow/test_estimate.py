"""`snakemake estimate`, as users type it: on drawn scenes, on files, and after a run."""

import json
from pathlib import Path
from typing import Any

import yaml

from tests.workflow.workspace import TINY, Workspace, merged

COSTLY = ("partworld", "prepare", "propose", "fit_select", "train")


def _numbers(workspace: Workspace) -> dict[str, Any]:
    numbers: dict[str, Any] = json.loads((workspace.results() / "estimate.json").read_text())
    return numbers


def test_a_fresh_run_is_estimated_and_nothing_of_it_made(fresh: Workspace) -> None:
    fresh.configure(merged(TINY, {"estimate": {"images": 2}}))
    outcome = fresh.snakemake("estimate")
    assert outcome.code == 0, outcome.text
    assert outcome.jobs() == {"estimate": 1}
    for words in ("8 to label, 2 held out", "sam vit_tiny", "tried here", "not modelled", "enough"):
        assert words in outcome.text
    assert not [name for name in COSTLY if (fresh.results() / name).exists()]
    numbers = _numbers(fresh)
    rows = {row["stage"]: row for row in numbers["rows"]}
    points = numbers["counts"]["points"]
    assert rows["propose"]["asks"]["prompts"]["points"] == points > 8
    assert rows["propose"]["seconds"] > 0
    assert rows["train"]["seconds"] is None
    assert rows["train"]["asks"]["steps"] == 3
    assert numbers["disk"]


def test_a_card_that_is_not_here_is_told_with_its_source(fresh: Workspace) -> None:
    outcome = fresh.snakemake("estimate", "--config", "estimate={device: h100}")
    assert outcome.code == 0, outcome.text
    for words in ("segment-anything-fast", "arithmetic", "work of that machine's CPU"):
        assert words in outcome.text
    assert _numbers(fresh)["tried"] is None


def test_an_earlier_runs_benchmarks_go_before_what_is_reckoned(workspace: Workspace) -> None:
    outcome = workspace.snakemake("estimate")
    assert outcome.code == 0, outcome.text
    rows = {row["stage"]: row for row in _numbers(workspace)["rows"]}
    assert "benchmarks, 4 jobs of 4" in rows["propose"]["how"]
    assert rows["train"]["seconds"] > 0
    assert "Nothing to be done" in workspace.snakemake().text


def test_labels_on_disk_are_counted(workspace: Workspace, tmp_path: Path) -> None:
    drawn = workspace.results() / "partworld" / "train"
    labels = json.loads((drawn / "annotations.json").read_text())
    objects = [item for item in labels["annotations"] if not item["iscrowd"]]
    split = {"images": str(drawn / "images"), "annotations": str(drawn / "annotations.json")}
    files = {"source": "files", "train": split, "ground_truth": False}
    mine = {"run": "files", "dataset": files, "train": {"enabled": False}}
    path = tmp_path / "files.yaml"
    path.write_text(yaml.safe_dump(merged(TINY, mine)))
    outcome = workspace.snakemake("--configfile", str(path), "--", "estimate")
    assert outcome.code == 0, outcome.text
    numbers = json.loads((workspace.folder / "results/files/estimate.json").read_text())
    assert (numbers["counts"]["images"], numbers["counts"]["points"]) == (8, len(objects))
    assert numbers["tried"]["questions"] > 0
