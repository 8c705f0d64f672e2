"""A random walk over a tiny workspace: inputs and results are touched, swapped, broken and mended.

After each step the same command runs. It must end with the bytes of a clean run on what is there
then, or stop with a sentence; who follows the sentence must get there.
"""

import hashlib
import json
import os
import random
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.workflow.label_runs import NO_LEARNING
from tests.workflow.photographs import label, lay_out, pointed
from tests.workflow.workspace import TINY, Outcome, Workspace, merged

COMMAND = ("--until", "export")
EXPORTED = "sapnet/export/pseudo_labels.json"
STAGES = ("propose", "sapnet/select", "sapnet/refine", "sapnet/grade")
ADVICE = re.compile(r"[Rr]emove (\S*results/\S+|it|the file|the folder)\b")
NAMED = re.compile(r"(\S*results/[^\s:]+\.(?:parquet|json|pt))")
FOLLOWED = 6  # sentences that one step may take


@dataclass
class Walk:
    """A workspace on files, and what clean runs on the same inputs end with, by the inputs."""

    workspace: Workspace
    folder: Path
    rng: random.Random
    seed: int = 0
    clean: dict[str, str] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    def photographs(self) -> list[Path]:
        """All of them, by name."""
        return sorted((self.workspace.folder / "photographs").glob("*.png"))

    def results(self) -> list[Path]:
        """The shard files of all stages."""
        folders = [self.workspace.results() / stage for stage in STAGES]
        return sorted(path for folder in folders for path in folder.glob("shard-*.parquet"))

    def run(self, *more: str) -> Outcome:
        """The command of every step."""
        return self.workspace.snakemake(*COMMAND, *more)

    def settle(self) -> None:
        """Run, follow what a sentence says, and hold the bytes against those of a clean run."""
        for _ in range(FOLLOWED):
            outcome = self.run()
            if outcome.code == 0:
                break
            assert "Traceback" not in outcome.text, outcome.text
            assert "a bug of ours" not in outcome.text, outcome.text
            self._follow(outcome.text)
        assert outcome.code == 0, outcome.text
        assert digest(self.workspace.results() / EXPORTED) == self._of_a_clean_run()

    def _follow(self, text: str) -> None:
        """Do what the sentences advise: remove the file, or the folder, that they name."""
        sentences = [line for line in text.splitlines() if ADVICE.search(line)]
        assert sentences, text
        self.told += sentences
        for line in sentences:
            what = ADVICE.findall(line)[0]
            named = NAMED.findall(line)
            path = self.workspace.folder / (what if "results/" in what else named[0])
            path = path.parent if what == "the folder" else path
            if path.is_dir():
                shutil.rmtree(path)
            path.unlink(missing_ok=True)

    def _of_a_clean_run(self) -> str:
        given = [*self.photographs(), self.workspace.folder / "labels.json"]
        key = hashlib.sha256("".join(f"{p.name} {digest(p)}\n" for p in given).encode()).hexdigest()
        if key not in self.clean:
            other = self.workspace.copy(self.folder / key[:12])
            shutil.rmtree(other.results())
            shutil.rmtree(other.folder / ".snakemake")
            outcome = other.snakemake(*COMMAND)
            assert outcome.code == 0, outcome.text
            self.clean[key] = digest(other.results() / EXPORTED)
            shutil.rmtree(other.folder)
        return self.clean[key]


def begun(finished: Workspace, folder: Path, seed: int) -> Walk:
    """A walk at its start: the tiny run's scenes with points, through SAM, up to export."""
    workspace = lay_out(finished, folder / "repo")
    label(workspace, pointed(finished))
    split = {"images": "photographs", "annotations": "labels.json"}
    files = {"source": "files", "train": split, "ground_truth": False}
    ends = {"dataset": files, "train": {"enabled": False}, "shards": 2}
    workspace.configure(merged(TINY, NO_LEARNING, ends))
    return Walk(workspace, folder, random.Random(seed))


def digest(path: Path) -> str:
    """Of a file's content."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def touch(walk: Walk) -> None:
    """New dates, old content."""
    for path in (*walk.photographs(), walk.workspace.folder / "labels.json"):
        path.touch()


def copy_results(walk: Walk) -> None:
    """The folder of results, as `cp -r` copies it: all dates are new."""
    results = walk.workspace.folder / "results"
    shutil.copytree(results, results.with_name("copy"), copy_function=shutil.copyfile)
    shutil.rmtree(results)
    results.with_name("copy").rename(results)


def swap_photographs(walk: Walk) -> None:
    """Two photographs take each other's names, and keep their dates."""
    swap(*walk.rng.sample(walk.photographs(), 2))


def replace_photograph(walk: Walk) -> None:
    """Another picture of the same size, and of an older date."""
    path = walk.rng.choice(walk.photographs())
    pixels = np.asarray(Image.open(path))
    Image.fromarray(np.ascontiguousarray(pixels[::-1])).save(path)
    os.utime(path, (1_000_000_000, 1_000_000_000))


def break_and_mend_photograph(walk: Walk) -> None:
    """Cut short, refused by name, and whole again."""
    path = walk.rng.choice(walk.photographs())
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    outcome = walk.run()
    assert outcome.code != 0
    assert f"{path.name}: cannot be decoded" in outcome.text
    path.write_bytes(whole)


def move_label(walk: Walk) -> None:
    """A point that is elsewhere, in a file with an older date."""
    path = walk.workspace.folder / "labels.json"
    coco: dict[str, Any] = json.loads(path.read_text())
    point = walk.rng.choice(coco["annotations"])["point"]
    point[0] += 1 if point[0] < 10 else -1
    label(walk.workspace, coco)
    os.utime(path, (1_000_000_000, 1_000_000_000))


def swap_shards(walk: Walk) -> None:
    """Two shards of a stage take each other's names; the dates are new."""
    folder = walk.workspace.results() / walk.rng.choice(STAGES)
    first, second = sorted(folder.glob("shard-*.parquet"))
    swap(first, second)
    for path in (first, second):
        path.touch()


def truncate_result(walk: Walk) -> None:
    """A shard that is cut short."""
    path = walk.rng.choice(walk.results())
    path.write_bytes(path.read_bytes()[: walk.rng.randint(0, 200)])


def delete_result(walk: Walk) -> None:
    """A shard that is gone."""
    walk.rng.choice(walk.results()).unlink()


def mix_seeds(walk: Walk) -> None:
    """A shard that was made with another seed, in the place of ours."""
    other = walk.workspace.copy(walk.folder / "other")
    shutil.rmtree(other.results())
    shutil.rmtree(other.folder / ".snakemake")
    target = f"results/tiny/{walk.rng.choice(STAGES)}/shard-0000-of-0002.parquet"
    outcome = other.snakemake(target, "--config", "seed=7")
    assert outcome.code == 0, outcome.text
    shutil.copyfile(other.folder / target, walk.workspace.folder / target)
    shutil.rmtree(other.folder)


def change_setting_and_back(walk: Walk) -> None:
    """Another setting of propose for one run, which is then as it was."""
    outcome = walk.run("--config", "propose={clean: 0.5}")
    assert outcome.code == 0, outcome.text


OF_INPUTS: tuple[Callable[[Walk], None], ...] = (
    *(touch, swap_photographs, replace_photograph, break_and_mend_photograph, move_label),
)
OF_RESULTS: tuple[Callable[[Walk], None], ...] = (
    *(copy_results, swap_shards, truncate_result, delete_result, mix_seeds),
    change_setting_and_back,
)


def swap(first: Path, second: Path) -> None:
    """Two files take each other's names."""
    between = first.with_name("between")
    first.rename(between)
    second.rename(first)
    between.rename(second)
