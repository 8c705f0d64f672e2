"""What a failed job said last, out of its log."""

from pathlib import Path

import pytest

from stages.planning.last_words import (
    SHOWN,
    SILENT,
    UNSEEN,
    is_silent,
    last_words,
    tail_of,
    was_stopped,
)
from stages.runtime.stopping import STOPPED

PROGRESS = "select: 0/4 images\nselect: 2/4 images  1.00/s  2 s left\n"
BUG = 'Traceback (most recent call last):\n  File "a.py", line 1\nRuntimeError: ours\n'
LOGS = {
    "nothing": ("", [SILENT + UNSEEN]),
    "progress alone": (
        PROGRESS,
        [f"{SILENT}; its log ends with: select: 2/4 images  1.00/s  2 s left"],
    ),
    "a beginning": (
        "select: resuming; finished work is kept.\n",
        [f"{SILENT}; its log ends with: select: resuming; finished work is kept."],
    ),
    "a warning of a library": ("Warn.\n", [f"{SILENT}; its log ends with: Warn."]),
    "a sentence": (f"{PROGRESS}select: image 7: none.\n", ["select: image 7: none."]),
    "faults": ("prepare: a.json: one.\na.json: two.\n", ["prepare: a.json: one.", "a.json: two."]),
    "a bug": (PROGRESS + BUG, ["a bug of ours, or of a library: RuntimeError: ours"]),
    "a bug that was caught": (BUG + "select: image 7: none.\n", ["select: image 7: none."]),
}


@pytest.mark.parametrize(("log", "words"), LOGS.values(), ids=LOGS)
def test_last_words(log: str, words: list[str]) -> None:
    assert list(last_words(log)) == words
    assert is_silent(log) == words[0].startswith(SILENT)


def test_many_faults_are_few_lines_and_the_total() -> None:
    log = "prepare: fault 0\n" + "".join(f"fault {number}\n" for number in range(1, 30))
    words = last_words(f"{log}in all: 30.\n")
    assert len(words) == SHOWN + 1
    assert words[0] == "prepare: fault 0"
    assert words[-2:] == ["... and 23 lines more in the log", "in all: 30."]


def test_ctrl_c_is_told_from_a_failure() -> None:
    assert was_stopped(f"{PROGRESS}select: {STOPPED}\n")
    assert not was_stopped(PROGRESS)


def test_the_tail_of_a_long_log_and_of_none(tmp_path: Path) -> None:
    assert tail_of(tmp_path / "none.log") == ""
    (tmp_path / "long.log").write_text("é" * 100_000 + "end")
    assert tail_of(tmp_path / "long.log").endswith("éend")
