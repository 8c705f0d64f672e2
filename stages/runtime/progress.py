"""Progress on stderr: a bar that moves on a terminal; in a log a line at once, then by time."""

import re
import shutil
import sys
import time

from stages.runtime.program import WIPE, Sentence, say

LINE_AFTER = 10.0  # s between two lines of a log
MOVE_AFTER = 0.1  # s between two moves of a bar
BAR_WIDTH = 20  # characters
COUNT = re.compile(r"^\S+: \d+/\d+ \S")
RESUMING = "resuming; finished work is kept."
LINE = re.compile(r"^\S+: (\d+)/(\d+) ([^\n]*?)  ([\d.]+)/s  ", re.MULTILINE)


class Progress:
    """How far a stage is: done of all, with the rate and the time left.

    Parameters
    ----------
    name : of the program. total : items in all. unit : what they are, in the plural.
    """

    def __init__(self, name: str, total: int, unit: str = "images"):
        self.name, self.total, self.unit = name, total, unit
        self.done, self.skipped, self.start = 0, 0, time.monotonic()
        self.moves = sys.stderr.isatty()
        self._show("")

    def skip(self, count: int) -> None:
        """Count items that an earlier, interrupted run had finished."""
        self.skipped += count
        if self.skipped == count:
            say(self.name, RESUMING)

    def step(self, note: str = "") -> None:
        """Count one item; show it when that is due."""
        self.done += 1
        waited = time.monotonic() - self._shown
        if self.reached == self.total or waited >= (MOVE_AFTER if self.moves else LINE_AFTER):
            self._show(note)

    @property
    def reached(self) -> int:
        """Items that are done, by this run or an earlier one."""
        return self.done + self.skipped

    def line(self, note: str = "") -> Sentence:
        """What a log says now: `select: 120/240 images  12.3/s  10 s left  loss 0.5`."""
        return "  ".join(part for part in (self._count(), self._speed(), note) if part)

    def _count(self) -> Sentence:
        return f"{self.name}: {self.reached}/{self.total} {self.unit}"

    def _speed(self) -> Sentence:
        if not self.done:
            return ""
        rate = self.done / max(time.monotonic() - self.start, 1e-9)
        return f"{rate_text(rate)}/s  {span((self.total - self.reached) / rate)} left"

    def _bar(self, note: str) -> Sentence:
        full = BAR_WIDTH * self.reached // max(self.total, 1)
        drawn = f"[{'#' * full}{'.' * (BAR_WIDTH - full)}]"
        parts = (self._count(), drawn, self._speed(), note)
        text = "  ".join(part for part in parts if part)
        return text[: shutil.get_terminal_size().columns - 1]  # a longer line could not be wiped

    def _show(self, note: str) -> None:
        self._shown = time.monotonic()
        end = "" if self.moves and self.reached < self.total else "\n"
        text = f"{WIPE}{self._bar(note)}" if self.moves else self.line(note)
        print(text, end=end, file=sys.stderr, flush=True)


def rate_text(rate: float) -> Sentence:
    """A number per second, for people."""
    return f"{rate:.1f}" if rate >= 10 else f"{rate:.2f}"


def span(seconds: float) -> Sentence:
    """A time for people: `12 s`, `3.4 min`, `2.1 h`."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def last_line(log: str) -> Sentence:
    """The last line of progress of a log; empty without one."""
    found = [line for line in log.splitlines() if COUNT.match(line)]
    return found[-1] if found else ""


def last_rate(log: str) -> Sentence:
    """The rate in the last line of progress of a log: `12.3 images/s`; empty without one."""
    found = LINE.findall(log)
    if not found:
        return ""
    *_, unit, rate = found[-1]
    return f"{rate} {'images' if 'images' in unit else unit.split()[0]}/s"
