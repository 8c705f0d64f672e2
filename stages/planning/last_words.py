"""What a failed job said last: the sentence for the user, out of its log. Standard library alone.

A program ends with `name: sentence` where the user can mend something (further faults on lines of
their own), and with a traceback where we went wrong.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from stages.runtime.program import Sentence
from stages.runtime.progress import LINE
from stages.runtime.stopping import STOPPED

SAID = re.compile(r"^[a-z][\w.]*: ", re.MULTILINE)
TRACEBACK = "Traceback (most recent call last):"
TAIL = 65536  # bytes of a log that are looked at
SHOWN = 8  # lines of what a job said last
SILENT = "it ended without a word: killed, or out of memory"


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


def last_words(log: str) -> Sequence[Sentence]:
    """The lines that say why a job failed, few of many; never none."""
    said, trace = list(SAID.finditer(log)), log.rfind(TRACEBACK)
    start = said[-1].start() if said else -1
    if trace >= 0 and not _is_users(log, trace):
        return [f"a bug of ours, or of a library: {log.rstrip().splitlines()[-1].strip()}"]
    if start < 0 or LINE.match(log, start):
        others = [line for line in log.splitlines() if line.strip()]
        return [f"{SILENT}{'; its log ends with: ' + others[-1] if others else ''}"]
    return _few(log[start:].rstrip().splitlines())


def _is_users(log: str, trace: int) -> bool:
    """Whether a sentence of a program follows the traceback."""
    after = [line for line in log[trace:].splitlines()[1:] if SAID.match(line)]
    return bool(after)


def _few(lines: Sequence[Sentence]) -> Sequence[Sentence]:
    if len(lines) <= SHOWN:
        return lines
    more = f"... and {len(lines) - SHOWN} lines more in the log"
    return [*lines[: SHOWN - 1], more, lines[-1]]
