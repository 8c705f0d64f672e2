"""What a failed job said last: the sentence for the user, out of its log. Standard library alone.

A program ends with `name: sentence` where the user can mend something (further faults on lines of
their own), and with a traceback where we went wrong.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from stages.runtime.program import Sentence
from stages.runtime.progress import COUNT, RESUMING
from stages.runtime.stopping import STOPPED

PROGRAMS = sorted({path.stem for path in Path(__file__).parents[1].glob("*.py")} | {"partworld"})
SAID = re.compile(rf"^(?:{'|'.join(PROGRAMS)}): ", re.MULTILINE)
TRACEBACK = "Traceback (most recent call last):"
TAIL = 65536  # bytes of a log that are looked at
SHOWN = 8  # lines of what a job said last
SILENT = "it ended without a word: killed, out of memory, or no room for its log"
UNSEEN = ", or it never began, as where a scheduler refuses it: see what stands above"


def tail_of(path: Path) -> str:
    """The end of a log, or of what can be read of it; empty where there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(path.stat().st_size - TAIL, 0))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def was_stopped(log: str) -> bool:
    """Whether Ctrl-C ended the job."""
    return log.rstrip().endswith(STOPPED)


def is_silent(log: str) -> bool:
    """Whether a log ends without a sentence that could say why the job has."""
    said = _said(log)
    begun = log.rstrip().endswith(RESUMING)
    return not _is_ours(log) and (said < 0 or begun or bool(COUNT.match(log[said:])))


def last_words(log: str) -> Sequence[Sentence]:
    """The lines that say why a job failed, few of many; never none."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    if _is_ours(log):
        return [f"a bug of ours, or of a library: {lines[-1]}"]
    if is_silent(log):
        return [f"{SILENT}{f'; its log ends with: {lines[-1]}' if lines else UNSEEN}"]
    return _few(log[_said(log) :].rstrip().splitlines())


def _said(log: str) -> int:
    """Where the last sentence of a program begins; -1 without one."""
    return max((found.start() for found in SAID.finditer(log)), default=-1)


def _is_ours(log: str) -> bool:
    """Whether a traceback ends the log, and no sentence of a program follows it."""
    return log.rfind(TRACEBACK) > _said(log)


def _few(lines: Sequence[Sentence]) -> Sequence[Sentence]:
    """At most SHOWN lines, and how many were left out; the last one tells the total."""
    out = len(lines) - SHOWN
    if out <= 0:
        return lines
    return [*lines[: SHOWN - 1], f"... and {out} lines more in the log", lines[-1]]
