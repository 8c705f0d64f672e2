"""The line that moves below those that stay."""

import io
import threading

import pytest

from stages.planning import bottom_line
from stages.planning.bottom_line import BottomLine
from stages.runtime.program import WIPE


class Terminal(io.StringIO):
    """Where lines may move; tells when the first one has."""

    def __init__(self) -> None:
        super().__init__()
        self.moved = threading.Event()

    def isatty(self) -> bool:
        """Always."""
        return True

    def flush(self) -> None:
        """What was written is there."""
        self.moved.set()


def test_a_log_has_no_such_line(capsys: pytest.CaptureFixture[str]) -> None:
    line = BottomLine(lambda: "3/4 jobs")
    line.start()
    line.end()
    assert capsys.readouterr().err == ""


def test_it_fits_the_terminal_and_is_wiped(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr(bottom_line, "MOVE_AFTER", 0.01)
    monkeypatch.setenv("COLUMNS", "9")
    line = BottomLine(lambda: "3/4 jobs and more")
    line.start()
    assert terminal.moved.wait(60)
    line.end()
    assert terminal.getvalue().startswith(f"{WIPE}3/4 jobs")
    assert "more" not in terminal.getvalue()
    assert WIPE in terminal.getvalue()[len(WIPE) :]
