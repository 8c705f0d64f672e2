"""Faults of a file: twenty of each kind in one run, the total, and nothing where all is well."""

from pathlib import Path

import pytest

from stages.runtime.faults import SHOWN, Faults


def faults_of(count: int, kind: str = "bad rows", source: Path | None = None) -> Faults:
    faults = Faults(source)
    for number in range(count):
        faults.add(kind, f"row {number} is bad.")
    return faults


def test_no_faults_say_nothing() -> None:
    faults = Faults(Path("a.csv"))
    assert len(faults) == 0
    assert faults.lines() == []
    faults.check()
    faults.check(Faults(), Faults())


def test_one_fault_is_one_sentence_without_a_total() -> None:
    assert faults_of(1).lines() == ["row 0 is bad."]
    assert faults_of(1, source=Path("a.csv")).lines() == ["a.csv: row 0 is bad."]


@pytest.mark.parametrize("count", [2, SHOWN, SHOWN + 1, 1000])
def test_twenty_of_a_kind_are_shown_and_the_rest_counted(count: int) -> None:
    lines = faults_of(count, source=Path("a.csv")).lines()
    shown = min(count, SHOWN)
    assert lines[:shown] == [f"a.csv: row {number} is bad." for number in range(shown)]
    more = [f"a.csv: ... and {count - SHOWN} more bad rows."] if count > SHOWN else []
    assert lines[shown:] == [*more, f"a.csv: in all: {count} bad rows."]
    assert len(faults_of(count)) == count


def test_each_kind_has_its_twenty_and_its_total() -> None:
    faults = faults_of(SHOWN + 5)
    faults.add("bad names", "name 'x' is bad.")
    lines = faults.lines()
    assert lines[SHOWN:] == [
        "... and 5 more bad rows.",
        "name 'x' is bad.",
        f"in all: {SHOWN + 5} bad rows, 1 bad names.",
    ]


def test_a_value_error_within_is_a_fault_at_its_place() -> None:
    faults = Faults()
    with faults.caught("bad rows", "line 7"):
        raise ValueError("'x' is no number.")
    with faults.caught("bad rows", "line 8"):
        pass
    assert faults.lines() == ["line 7: 'x' is no number."]
    with pytest.raises(KeyError), faults.caught("bad rows", "line 9"):
        raise KeyError("ours")  # an error of the program is no fault of the file
    assert len(faults) == 1


def test_a_sentence_is_one_line_whatever_name_is_in_it() -> None:
    faults = Faults(Path("a.xml"))
    with faults.caught("images with faults", "image a\r\nb\u2028c.png"):
        raise ValueError("its name is none.")
    assert faults.lines() == ["a.xml: image a b c.png: its name is none."]


def test_faults_of_several_sources_are_told_together() -> None:
    labels = faults_of(1, source=Path("a.csv"))
    photographs = Faults()
    photographs.add("photographs", "b.png is missing.")
    for check in (lambda: labels.check(photographs), lambda: labels.check(Faults(), photographs)):
        with pytest.raises(ValueError, match="missing") as caught:
            check()
        assert str(caught.value).splitlines() == ["b.png is missing.", "a.csv: row 0 is bad."]
    with pytest.raises(ValueError, match=r"^b.png is missing.$"):
        Faults(Path("a.csv")).check(photographs)
