"""The workflow run from elsewhere: -s, --directory and --configfile."""

import os
from pathlib import Path

import pytest
import yaml

from tests.workflow.workspace import ROOT, TINY, Outcome, Workspace, merged, run_snakemake

pytestmark = pytest.mark.long

ONE_SHARD = merged(TINY, {"shards": 1, "dataset": {"partworld": {"train": 4, "val": 1}}})
LABELS = "results/tiny/sapnet/export/pseudo_labels.json"


def _elsewhere(folder: Path, snakefile: str, *arguments: str) -> Outcome:
    """Run in a folder beside the caller's, as one types it there."""
    (folder / "caller").mkdir(exist_ok=True)
    (folder / "caller" / "mine.yaml").write_text(yaml.safe_dump(ONE_SHARD))
    command = ("-s", snakefile, "--directory", "../work", "--configfile", "mine.yaml")
    return run_snakemake(folder / "caller", *command, *arguments)


def test_a_run_from_anywhere_ends_in_the_directory_and_a_second_does_nothing(
    tmp_path: Path,
) -> None:
    relative = os.path.relpath(ROOT / "Snakefile", tmp_path.resolve() / "caller")
    outcome = _elsewhere(tmp_path, relative)
    assert outcome.code == 0, outcome.text
    assert "profiles/default for setting default command line arguments" in outcome.text
    assert (tmp_path / "work" / LABELS).is_file()
    assert [path.name for path in (tmp_path / "caller").iterdir()] == ["mine.yaml"]
    for name in (relative, str(ROOT / "Snakefile")):
        outcome = _elsewhere(tmp_path, name)
        assert outcome.code == 0, outcome.text
        assert "Nothing to be done" in outcome.text


def test_paths_of_the_config_start_from_the_directory(finished: Workspace, tmp_path: Path) -> None:
    world = finished.results() / "partworld" / "train"
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "photographs").symlink_to(world / "images")
    (tmp_path / "work" / "labels.json").symlink_to(world / "annotations.json")
    split = "{images: photographs, annotations: labels.json}"
    arguments = ("--config", f"dataset={{source: files, train: {split}}}", "-n")
    outcome = _elsewhere(tmp_path, str(ROOT / "Snakefile"), *arguments)
    assert outcome.code == 0, outcome.text
    assert outcome.jobs()["prepare"] == 1
