"""Ctrl-C: one sentence and exit code 130 instead of a traceback.

Put in place before anything heavy is imported, by `stages/__init__.py` for the programs and by the
Snakefile for a run. Standard library alone.
"""

import sys
from types import TracebackType

from stages.runtime.program import say

STOPPED = "stopped; finished work is kept, and the same command goes on."
STOPPED_CODE = 130  # what shells give a program that Ctrl-C ended


def stop_with_a_sentence() -> None:
    """From now on Ctrl-C ends this process with one sentence."""
    sys.excepthook = _ended


def _ended(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
        return
    say(_program(sys.orig_argv), STOPPED)
    sys.exit(STOPPED_CODE)


def _program(words: list[str]) -> str:
    """The program that `python -m stages.<program>` has started."""
    names = [word.removeprefix("stages.") for word in words if word.startswith("stages.")]
    return names[0] if names else "maskmill"
