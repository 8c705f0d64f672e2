"""The workflow run from elsewhere: -s, --directory and --configfile; and as a module of another."""

import json
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


OUTER = """
configfile: workflow.basedir + "/outer.yaml"


shell.prefix("set -eu; ")


rule all:
    input:
        "counted.txt",


module maskmill:
    snakefile:
        SNAKEFILE
    config:
        config["maskmill"]


use rule * from maskmill as maskmill_*


onstart:
    maskmill.onstart()


rule count:
    input:
        "results/tiny/sapnet/export/pseudo_labels.json",
    output:
        "counted.txt",
    params:
        told=len(config["maskmill"]),
    shell:
        "grep -o bbox {input} | wc -l > {output}; echo {params.told} ${{PYTHONPATH-}} >> {output}"
"""


def _outer(folder: Path, *changes: tuple[str, str]) -> None:
    """Write a workflow that has ours as a module, its path told from that workflow's folder."""
    inner = os.path.relpath(ROOT / "Snakefile", folder.resolve())
    text = OUTER.replace("SNAKEFILE", repr(inner))
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "Snakefile").write_text(text)
    (folder / "outer.yaml").write_text(yaml.safe_dump({"maskmill": ONE_SHARD, "other": 1}))


def test_a_module_of_another_workflow_runs_and_a_second_run_does_nothing(tmp_path: Path) -> None:
    _outer(tmp_path)
    outcome = run_snakemake(tmp_path, "--directory", "work", PYTHONPATH="/theirs")
    assert outcome.code == 0, outcome.text
    objects = len(json.loads((tmp_path / "work" / LABELS).read_text())["annotations"])
    count, others = (tmp_path / "work" / "counted.txt").read_text().splitlines()
    assert int(count) == objects > 0
    assert others == f"{len(ONE_SHARD)} /theirs"  # its config and its shell are its own
    assert outcome.jobs().keys() >= {"count", "maskmill_partworld", "maskmill_export"}
    assert list((tmp_path / "work" / ".snakemake" / "maskmill").iterdir())  # who held the locks
    outcome = run_snakemake(tmp_path, "--directory", "work", PYTHONPATH="/theirs")
    assert "Nothing to be done" in outcome.text, outcome.text


def test_a_module_without_a_config_has_the_defaults(tmp_path: Path) -> None:
    _outer(tmp_path, ('    config:\n        config["maskmill"]\n', ""), ("/tiny/", "/demo/"))
    outcome = run_snakemake(tmp_path, "-n")
    assert outcome.code == 0, outcome.text
    assert outcome.jobs()["maskmill_propose"] == 2


def test_the_prefix_of_a_module_is_refused(tmp_path: Path) -> None:
    _outer(tmp_path, ('config["maskmill"]\n', 'config["maskmill"]\n    prefix: "mine"\n'))
    outcome = run_snakemake(tmp_path, "-n")
    assert outcome.code != 0
    assert "module: prefix and replace_prefix are not supported" in outcome.text
    assert "Traceback" not in outcome.text
