"""What a person reads of a run: a line for each job, and what failed. Standard library alone."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.planning.last_words import is_silent, last_words, tail_of, was_stopped
from stages.runtime.program import Sentence
from stages.runtime.progress import last_line, last_rate, span

TARGETS = frozenset({"all", "ablation", "compare_engines", "tasks"})  # rules that only name files
SPEAKING = frozenset(  # rules whose jobs print on the terminal themselves
    {"prepare", "convert", "evaluate", "ablate", "compare", "label_cost", "tidy"}
)
SMALLEST = 20  # MiB; a program that Snakemake has measured as less was measured too early


@dataclass(frozen=True, slots=True)
class Job:
    """A job that has begun.

    place : home and shard, or whatever sets it apart from others of its rule.
    logs : its own, and that of a cluster's node. began : s, of a monotonic clock.
    """

    rule: str
    place: str
    logs: tuple[Path, ...]
    benchmark: Path | None
    began: float

    def log(self) -> str:
        """The end of what it said itself."""
        return tail_of(self.logs[0]) if self.logs else ""

    def name(self) -> str:
        """Rule and place."""
        return f"{self.rule} {self.place}".rstrip()

    def doing(self) -> Sentence:
        """What it does now, as far as its log has it."""
        return f"{self.name()} {last_line(self.log()).partition(': ')[2]}".rstrip()

    def done(self, now: float) -> Sentence:
        """Stage, place, rate, time and peak memory of a job that has ended well."""
        measured = _measured(self.benchmark)
        seconds = _number(measured, "s") or now - self.began
        memory = _number(measured, "max_rss")
        rate = last_rate(self.log())
        peak = f"{memory:.0f} MiB" if memory >= SMALLEST else ""
        name = f"{self.rule:<11} {self.place}"
        return f"{name:<40} {rate:>13} {span(seconds):>8} {peak:>9}".rstrip()

    def failed(self) -> Sequence[Sentence]:
        """Which job failed, its log, and its own words, which come last."""
        logs = ", ".join(str(path) for path in self.logs)
        words = (f"    {line}" for line in last_words(self.log()))
        return [f"failed: {self.name()}{f' ({logs})' if logs else ''}", *words]

    def is_stopped(self) -> bool:
        """Whether Ctrl-C ended it, as it said itself."""
        return was_stopped(self.log())

    def is_silent(self) -> bool:
        """Whether it said nothing of why it ended."""
        return is_silent(self.log())


def job_of(
    rule: str,
    values: Mapping[str, str],
    paths: Sequence[str],
    *,
    benchmark: str | None,
    began: float,
) -> Job:
    """A job from what Snakemake says of it when it begins.

    Parameters
    ----------
    values : its wildcards. paths : its logs.
    """
    home = values.get("home", "")
    others = [value.removeprefix("shard-") for key, value in values.items() if key != "home"]
    logs = tuple(Path(path) for path in paths)
    return Job(rule, " ".join([home, *others]).strip(), logs, _path(benchmark), began)


def opening(counts: Mapping[str, int]) -> Sentence:
    """How many jobs a run has, and of which rules."""
    named = ", ".join(f"{rule} {count}" for rule, count in counts.items())
    total = sum(counts.values())
    return f"{total} {'job' if total == 1 else 'jobs'}: {named}."


def left(done: int, total: int, seconds: float) -> Sentence:
    """The time left, if all jobs took alike; empty for the last one."""
    return f"{span(seconds / done * (total - done))} left" if 0 < done < total else ""


def _path(name: str | None) -> Path | None:
    return Path(name) if name else None


def _measured(path: Path | None) -> Mapping[str, Any]:
    """The last row of a benchmark file; empty where there is none."""
    try:
        with (path or Path("/dev/null")).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file, delimiter="\t"))[-1]
    except (OSError, IndexError):
        return {}


def _number(measured: Mapping[str, Any], column: str) -> float:
    """A number of a benchmark; 0 where Snakemake could not tell it."""
    try:
        return float(measured.get(column) or 0)
    except ValueError:
        return 0.0
