"""Progress on stderr: one line for each so many items, with the rate and the time left."""

import sys
import time

LINE_EVERY = 64  # images between two progress lines
STEPS_PER_LINE = 20  # of a training between two progress lines


class Progress:
    """One line on stderr for each `every` items: done, rate, time left."""

    def __init__(self, name: str, total: int, unit: str = "images", every: int = LINE_EVERY):
        self.name, self.total, self.unit, self.every = name, total, unit, every
        self.done, self.skipped, self.start = 0, 0, time.monotonic()

    def skip(self, count: int) -> None:
        """Count items that an earlier, interrupted run had finished."""
        self.skipped += count
        if self.skipped == count:
            print(f"{self.name}: resuming; finished work is kept.", file=sys.stderr, flush=True)

    def step(self, note: str = "") -> None:
        """Count one item; print a line when it is due."""
        self.done += 1
        reached = self.done + self.skipped
        if reached % self.every == 0 or reached == self.total:
            rate = self.done / max(time.monotonic() - self.start, 1e-9)
            left = (self.total - reached) / max(rate, 1e-9) / 60
            text = f"{self.name}: {reached}/{self.total} {self.unit}  {rate:.1f}/s  {left:.1f} min"
            print(f"{text} left{note and '  ' + note}", file=sys.stderr, flush=True)
