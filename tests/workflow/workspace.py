"""A copy of the repository in which tests run Snakemake as users do."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("Snakefile", "config.yaml", "workflow", "stages", "profiles", "envs")
TINY: dict[str, Any] = {  # as little as a run can be: seconds per stage
    "run": "tiny",
    "shards": 2,
    "dataset": {"partworld": {"train": 8, "val": 2}},
    "propose": {"chunk": 1},
    "select": {
        "chunk": 1,
        "psm": {
            "features": {"channels": 8, "hidden": 16, "roi_size": 3},
            "training": {"epochs": 1, "batch_images": 2, "checkpoint_every": 1},
        },
    },
    "refine": {
        "chunk": 1,
        "prm": {
            "npg": {"background": 20},
            "training": {"epochs": 1, "batch_images": 2, "checkpoint_every": 1},
        },
    },
    "train": {
        "short_side": 64,
        "long_side": 96,
        "fpn_channels": 16,
        "rois_per_image": 8,
        "iterations": 3,
        "batch_images": 2,
        "warmup": 0,
        "checkpoint_every": 1,
        "score_threshold": 0.0,
        "detections_per_image": 5,
    },
    "predict": {"chunk": 1},
    "evaluate": {},
}
UNTIL_EXPORT = (
    *("prepare", "propose", "fit_select", "select", "fit_refine", "refine", "grade"),
    "export",
)
DETECTED = ("train", "predict_held_out", "evaluate", "report")
CHAIN = ("partworld", *UNTIL_EXPORT, *DETECTED)  # each depends on all before it


def from_first(rules: set[str], chain: Sequence[str] = CHAIN) -> set[str]:
    """The rules of a chain from the first of `rules` on: what reruns when these have changed."""
    first = min((chain.index(rule) for rule in rules), default=len(chain))
    return set(chain[first:])


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended: its exit code, and what it printed on both streams."""

    code: int
    text: str

    def jobs(self) -> dict[str, int]:
        """Jobs per rule, from the table that Snakemake prints or from the opening of a run."""
        tables = re.findall(r"Job stats:\njob +count\n[- ]+\n(.*?)^total ", self.text, re.S | re.M)
        openings = re.findall(r"^maskmill: \d+ jobs?: (.*)\.$", self.text, re.M)
        rows = [row.replace(", ", "\n").splitlines() for row in [*tables, *openings][:1]]
        counts = (row.split() for row in (rows[0] if rows else []))
        return {rule: int(count) for rule, count in counts if rule != "all"}


def run_snakemake(folder: Path, *arguments: str, **environment: str) -> Outcome:
    """Run Snakemake in a folder, as one types it there."""
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "2", *arguments],
        cwd=folder,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # so that a test can kill all of it
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1200,
    )
    return Outcome(done.returncode, done.stdout)


@dataclass(frozen=True, slots=True)
class Workspace:
    """A folder with a copy of the repository, and perhaps the results of a run."""

    folder: Path

    def configure(self, values: Mapping[str, Any]) -> None:
        """Lay `values` over config.yaml for all commands that follow."""
        (self.folder / "mine.yaml").write_text(yaml.safe_dump(dict(values)))

    def snakemake(self, *arguments: str, **environment: str) -> Outcome:
        """Run Snakemake in the folder, with the settings of `configure`."""
        given = "--configfile" in arguments or not (self.folder / "mine.yaml").exists()
        overlay = () if given else ("--configfile", "mine.yaml")
        return run_snakemake(self.folder, *arguments, *overlay, **environment)

    def run(self, *arguments: str) -> Outcome:
        """Run a program of ours in the folder, by the name of its module."""
        done = subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=1200,
        )
        return Outcome(done.returncode, done.stdout)

    def results(self) -> Path:
        """Folder of the tiny run."""
        return self.folder / "results" / "tiny"

    def digests(self, *stages: str) -> dict[str, str]:
        """Digest of every file that these stages wrote, by its path below the run."""
        folder = self.results()
        found = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        return {
            str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in found
            if set(path.relative_to(folder).parts[:-1]) & set(stages)
            and path.suffix != ".jsonl"  # how fast it went
            and not {"logs", "benchmarks"} & set(path.relative_to(folder).parts)
        }

    def log(self, name: str, *, home: str = ".") -> str:
        """The log of a job, such as propose/shard-0000-of-0004; home: folder below the run's."""
        return (self.results() / home / "logs" / f"{name}.log").read_text()

    def copy(self, folder: Path) -> "Workspace":
        """The same in another folder, modification times and all."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Workspace(folder)


def new_workspace(folder: Path) -> Workspace:
    """A copy of the repository without results, set up for the tiny run."""
    folder.mkdir(parents=True)
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, folder / name)
    workspace = Workspace(folder)
    workspace.configure(TINY)
    return workspace


def merged(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Nested settings, later ones over earlier ones."""
    result: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
            result[key] = merged(result[key], value) if both else value
    return json.loads(json.dumps(result))  # type: ignore[no-any-return]
