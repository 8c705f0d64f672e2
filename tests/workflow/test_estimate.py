"""`snakemake estimate`, as users type it: on drawn scenes, on files, and after a run."""

import json
from pathlib import Path
from typing import Any

import pytest

from stages.partworld.dataset import write_dataset
from tests.workflow.workspace import TINY, Workspace, merged

pytestmark = pytest.mark.long

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


def test_an_earlier_runs_benchmarks_go_before_what_is_reckoned(fresh: Workspace) -> None:
    took = {"benchmarks/propose/shard-000{}-of-0002": 30, "sapnet/benchmarks/train/torchvision": 99}
    for name, seconds in took.items():
        for number in range(2 if "{}" in name else 1):
            path = fresh.results() / f"{name.format(number)}.tsv"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"s\tmax_rss\tcpu_time\n{seconds}\t800.0\t1\n")
    outcome = fresh.snakemake("estimate")
    assert outcome.code == 0, outcome.text
    rows = {row["stage"]: row for row in _numbers(fresh)["rows"]}
    assert "benchmarks, 2 jobs of 2" in rows["propose"]["how"]
    assert (rows["propose"]["seconds"], rows["propose"]["memory"]) == (60, 800)
    assert rows["train"]["seconds"] == 99


def test_labels_on_disk_are_counted(fresh: Workspace, tmp_path: Path) -> None:
    counts = write_dataset(tmp_path, split="train", images=4, seed=0)
    split = {"images": str(tmp_path / "images"), "annotations": str(tmp_path / "annotations.json")}
    files = {"source": "files", "train": split, "ground_truth": False}
    fresh.configure(merged(TINY, {"dataset": files, "train": {"enabled": False}}))
    outcome = fresh.snakemake("estimate")
    assert outcome.code == 0, outcome.text
    numbers = _numbers(fresh)
    assert numbers["counts"]["images"] == 4
    assert numbers["counts"]["points"] == counts["objects"] - counts["crowds"]
    assert numbers["tried"]["questions"] > 0
