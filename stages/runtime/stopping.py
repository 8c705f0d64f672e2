"""Ctrl-C: one sentence and exit code 130 instead of a traceback. And no job outlives its run.

Put in place before anything heavy is imported, by `stages/__init__.py` for the programs and by the
Snakefile for a run. Standard library alone.
"""

import ctypes
import os
import signal
import sys
from types import TracebackType

from stages.runtime.program import say

STOPPED = "stopped; finished work is kept, and the same command goes on."
STOPPED_CODE = 130  # what shells give a program that Ctrl-C ended
STARTED_BY = "MASKMILL_STARTED_BY"  # pid of the Snakemake whose rule has started this program
PR_SET_PDEATHSIG = 1  # linux/prctl.h


def stop_with_a_sentence() -> None:
    """From now on Ctrl-C ends this process with one sentence."""
    sys.excepthook = _ended


def end_with_the_run() -> None:
    """From now on this job ends when the Snakemake that has started it is killed; Linux alone.

    It would go on by itself, and write the same files as the job that the next run starts. A
    program that people have started themselves is left alone.
    """
    started_by = os.environ.pop(STARTED_BY, "")
    if sys.platform != "linux" or started_by != str(os.getppid()):
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if started_by != str(os.getppid()):  # it has died in between
        os.kill(os.getpid(), signal.SIGTERM)


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
