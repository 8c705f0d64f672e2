"""What every program does alike: its command line, its exit code, its progress lines.

A `ValueError` is the user's to mend: one sentence on stderr, exit 2. Anything else is ours and
keeps its traceback.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence

LINE_EVERY = 64  # images or steps between two progress lines


def run(name: str, main: Callable[[Sequence[str] | None], None]) -> None:
    """Call `main` with the command line; a ValueError becomes one sentence and exit code 2."""
    try:
        main(None)
    except ValueError as error:
        print(f"{name}: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def parser_of(module_doc: str | None, name: str) -> argparse.ArgumentParser:
    """An argument parser that shows the module's docstring as help."""
    return argparse.ArgumentParser(
        prog=f"python -m stages.{name}",
        description=module_doc,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


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


def say(name: str, text: str) -> None:
    """One sentence on stderr, for the log."""
    print(f"{name}: {text}", file=sys.stderr, flush=True)
