"""The log of a training, and how people see it grow: lines on stderr, TensorBoard's event files."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from stages.runtime.events import Events
from stages.runtime.program import say
from stages.runtime.progress import Progress


class StepLog:
    """Lines of JSON, one for each step.

    Parameters
    ----------
    lines : of the steps before, where a training goes on.
    name : of the stage. steps : of the whole training.
    events : folder of event files, or None. leads : whether this process is the one that tells.
    """

    def __init__(
        self,
        lines: Sequence[str],
        *,
        name: str,
        steps: int,
        events: Path | None,
        leads: bool,
    ):
        self.lines = list(lines)
        self.progress = _progress_from(len(lines), name, steps) if leads else None
        self.events = Events(events if leads else None, lines)

    def add(self, entry: dict[str, float]) -> None:
        """Add the entry of a step, and tell it."""
        self.lines.append(json.dumps(entry))
        self.events.add(entry)
        if self.progress:
            self.progress.step(f"loss {entry['loss']:.4f}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.events.close()


def _progress_from(step: int, name: str, steps: int) -> Progress:
    """The progress of a training that goes on at `step`, or begins at 0."""
    progress = Progress(name, steps, "steps")
    if step:
        progress.skip(step)
        say(name, f"resuming at step {step}.")
    return progress
