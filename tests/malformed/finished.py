"""A tiny run, made in this process: the jobs that Snakemake plans, one after the other.

A dry run prints the command of every job; the programs are called with its words, so that what is
attacked is called as users' runs call it, and half a minute makes all of it.
"""

import os
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.malformed.attempt import attempt
from tests.workflow.workspace import TINY, Workspace, merged, new_workspace

SMALL: dict[str, Any] = {"shards": 2, "dataset": {"partworld": {"train": 4, "val": 2}}}
COMMAND = re.compile(r"python -m stages\.(\S+) (.*?) 2> ")


@dataclass(frozen=True, slots=True)
class Job:
    """A program and the words that it is called with, from the folder of the run."""

    program: str
    words: tuple[str, ...]

    def paths(self, flag: str) -> list[Path]:
        """The values of a flag."""
        place = self.words.index(flag) + 1
        ends = (n for n, word in enumerate(self.words[place:], place) if word.startswith("--"))
        return [Path(word) for word in self.words[place : next(ends, len(self.words))]]

    def outputs(self) -> list[Path]:
        """The files and folders that it writes."""
        flags = [word for word in self.words if word.startswith("--out")]
        return [path for flag in flags for path in self.paths(flag)]


@dataclass(frozen=True, slots=True)
class Finished:
    """A run in `folder`. jobs : in an order in which they can run; the last shard of each stage."""

    folder: Path
    jobs: dict[str, Job]


def finished_run(folder: Path, *, seed: int = 0, until: str = "report") -> Finished:
    """Make a run from its beginning; raises RuntimeError where a job fails.

    until : the program after which it ends.
    """
    workspace = new_workspace(folder)
    workspace.configure(merged(TINY, SMALL, {"seed": seed}))
    jobs = list(_planned(workspace))
    with inside(folder):
        for job in jobs:
            outcome = attempt(job.program, job.words)
            if outcome.code:
                raise RuntimeError(f"{job}: {outcome.text}")
            if job.program == until:
                break
    return Finished(folder, {job.program: job for job in jobs})


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    """The working folder is another one for a while."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _planned(workspace: Workspace) -> Iterator[Job]:
    outcome = workspace.snakemake("-n", "-p")
    if outcome.code:
        raise RuntimeError(outcome.text)
    for program, rest in COMMAND.findall(outcome.text):
        words = [word for word in shlex.split(rest) if word != ">"]
        yield Job(program, tuple(words))
