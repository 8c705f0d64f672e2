"""Rows of an estimate: what each stage asks, how long it takes, and how that is known.

What an earlier run of the same folder took goes before what is reckoned; a stage of which nothing
is known says so.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stages.estimating.asks import Asks
from stages.reporting.page.times import stage_times

FILED = {"predict_held_out": "predict"}  # stage: the folder that its benchmark lies in
NOT_MODELLED = "not modelled"
UNMEASURED = "nothing: see times"


@dataclass(frozen=True, slots=True)
class Past:
    """What an earlier run took. jobs : measured. seconds : of all. memory : MiB of the largest."""

    jobs: int
    seconds: float
    memory: float


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the segmenter is.

    look, prompt : s of each. how : what that rests on. at_least : there is more to it.
    memory : MiB of the process that tried it, None: not known.
    """

    look: float
    prompt: float
    how: str
    at_least: bool
    memory: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A stage.

    jobs : of it. flop : of the segmenter, None: not known. seconds : of all jobs, one after the
    other; at_least : there is more to it. memory : MiB of a job. how : what that rests on.
    """

    stage: str
    jobs: int
    asks: Asks
    flop: float | None
    seconds: float | None
    at_least: bool
    memory: float | None
    how: str


def past_of(stages: Sequence[Mapping[str, Any]], folder: Callable[[str], Any]) -> dict[str, Past]:
    """What the benchmarks of earlier runs say, by stage, scaled to the jobs of this one.

    Parameters
    ----------
    stages : {name, home, jobs} each. folder : home to the folder of its benchmarks.
    """
    found = {}
    for stage in stages:
        name = FILED.get(stage["name"], stage["name"])
        rows = {row["name"]: row for row in stage_times([folder(stage["home"])])}
        if name in rows and rows[name]["jobs"]:
            row = rows[name]
            seconds = row["seconds"] * stage["jobs"] / row["jobs"]
            found[stage["name"]] = Past(row["jobs"], seconds, row["memory"])
    return found


def forecast(
    stages: Sequence[Mapping[str, Any]],
    asks: Mapping[str, Asks],
    *,
    work: tuple[int, int] | None,
    pace: Pace | None,
    past: Mapping[str, Past],
) -> list[Row]:
    """A row for each stage, in their order.

    Parameters
    ----------
    asks : of stages that ask the segmenter or train. work : FLOP of a look and of a prompt, where
        the architecture is known. pace : None where nothing was measured or published.
    """
    rows = []
    for stage in stages:
        name, own = stage["name"], asks.get(stage["name"], Asks())
        flop = _flop(own, work)
        if name in past:
            how = f"an earlier run's benchmarks, {past[name].jobs} jobs of {stage['jobs']}"
            seconds, memory = past[name].seconds, past[name].memory or None
            rows.append(Row(name, stage["jobs"], own, flop, seconds, False, memory, how))
        else:
            rows.append(_reckoned(stage, own, flop, pace))
    return rows


def _flop(asks: Asks, work: tuple[int, int] | None) -> float | None:
    if work is None or not (asks.looks or asks.known):
        return None
    return float((asks.looks or 0) * work[0] + asks.known * work[1])


def _reckoned(stage: Mapping[str, Any], asks: Asks, flop: float | None, pace: Pace | None) -> Row:
    """A stage by its questions; one without any is not modelled."""
    if pace is None and asks.steps is None and (asks.looks or asks.known):
        return Row(stage["name"], stage["jobs"], asks, flop, None, False, None, UNMEASURED)
    if pace is None or not (asks.looks or asks.known):
        how = NOT_MODELLED if asks.steps is None else f"{asks.steps} steps, {NOT_MODELLED}"
        return Row(stage["name"], stage["jobs"], asks, flop, None, False, None, how)
    seconds = (asks.looks or 0) * pace.look + asks.known * pace.prompt
    how, memory = pace.how, pace.memory
    if asks.steps is not None:
        how = f"{how}; the embeddings alone, its {asks.steps} steps {NOT_MODELLED}"
        memory = None  # what was tried is no training
    at_least = pace.at_least or asks.steps is not None or not asks.is_whole
    return Row(stage["name"], stage["jobs"], asks, flop, seconds, at_least, memory, how)
