"""Progress in a log, and on a terminal."""

import io

import pytest

from stages.runtime import progress as module
from stages.runtime.program import WIPE
from stages.runtime.progress import Progress, last_line, last_rate, rate_text, span


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        """Seconds until now."""
        return self.now


class Terminal(io.StringIO):
    """Where bars may move."""

    def isatty(self) -> bool:
        """Always."""
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def _terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Put a terminal of 60 columns in the place of stderr; pytest captures that anew per test."""
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("COLUMNS", "60")
    return terminal


def _take(progress: Progress, clock: Clock, *, steps: int, seconds: float) -> None:
    for _ in range(steps):
        clock.now += seconds
        progress.step()


def test_nothing_to_do_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    Progress("select", 0)
    assert capsys.readouterr().err == "select: 0/0 images\n"


def test_the_first_line_comes_at_once_then_by_time_and_the_last(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    _take(Progress("select", 9), clock, steps=9, seconds=4)
    assert capsys.readouterr().err.splitlines() == [
        "select: 0/9 images",
        "select: 3/9 images  0.25/s  24 s left",
        "select: 6/9 images  0.25/s  12 s left",
        "select: 9/9 images  0.25/s  0 s left",
    ]


def test_many_fast_items_are_two_lines(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    _take(Progress("select", 5000), clock, steps=5000, seconds=0.001)
    first, last = capsys.readouterr().err.splitlines()
    assert (first, last) == (
        "select: 0/5000 images",
        "select: 5000/5000 images  1000.0/s  0 s left",
    )


def test_a_note_stands_last(capsys: pytest.CaptureFixture[str]) -> None:
    Progress("train", 1, "steps").step("loss 0.5")
    assert capsys.readouterr().err.endswith(" left  loss 0.5\n")


def test_what_an_earlier_run_finished_counts_but_not_for_the_rate(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    progress = Progress("select", 4)
    progress.skip(1)
    progress.skip(1)
    _take(progress, clock, steps=2, seconds=1)
    assert capsys.readouterr().err.splitlines() == [
        "select: 0/4 images",
        "select: resuming; finished work is kept.",
        "select: 4/4 images  1.00/s  0 s left",
    ]


def test_a_bar_moves_in_its_line_and_stays_when_all_is_done(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = _terminal(monkeypatch)
    _take(Progress("select", 2), clock, steps=2, seconds=1)
    begun, half, done = terminal.getvalue().split(WIPE)[1:]
    assert begun == "select: 0/2 images  [....................]"
    assert half == "select: 1/2 images  [##########..........]  1.00/s  1 s left"[:59]
    assert done == "select: 2/2 images  [####################]  1.00/s  0 s left"[:59] + "\n"


def test_a_bar_moves_ten_times_a_second_at_most(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = _terminal(monkeypatch)
    _take(Progress("select", 100), clock, steps=100, seconds=0.01)
    assert 2 < terminal.getvalue().count(WIPE) < 15


def test_the_rate_is_read_back_from_a_log(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    for unit, said in (("images", "2.00 images/s"), ("headers read", "2.00 headers/s")):
        _take(Progress("prepare", 30, unit), clock, steps=30, seconds=0.5)
        assert last_rate(capsys.readouterr().err + "prepare: done.\n") == said
    assert last_rate("") == last_rate("prepare: 0/3 images\n") == ""


def test_the_last_line_of_progress_is_found() -> None:
    log = "select: 0/4 images\nselect: 2/4 images  1.00/s  2 s left\nselect: a word.\n"
    assert last_line(log) == "select: 2/4 images  1.00/s  2 s left"
    assert last_line("select: a word.\n") == ""


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (99, "99 s"), (150, "2.5 min"), (9000, "2.5 h")]
)
def test_spans_are_for_people(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_slow_rates_keep_their_digits() -> None:
    assert [rate_text(rate) for rate in (0.04, 3.14159, 25.26)] == ["0.04", "3.14", "25.3"]
