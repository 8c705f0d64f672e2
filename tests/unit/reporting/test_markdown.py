"""Numbers and tables in Markdown: signs, zeros, and what was not measured."""

import pytest

from stages.metrics.spread import paired, summary
from stages.reporting.markdown import (
    PERCENT,
    POINTS,
    RATIO,
    Format,
    escaped,
    gain,
    grid,
    per_seed,
    shown,
    spread,
)


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (None, PERCENT, "-"),
        (0.456, PERCENT, "45.6"),
        (-0.0123, POINTS, "-1.23"),
        (0.0123, POINTS, "+1.23"),
        (-0.00001, POINTS, "+0.00"),  # no minus before a zero
        (-0.00001, RATIO, "0.000"),
        (58.65, Format(1, 1), "58.6"),
    ],
)
def test_a_number_is_printed_in_its_form(value: float | None, form: Format, text: str) -> None:
    assert shown(value, form) == text


def test_means_have_their_spread_from_two_seeds_on() -> None:
    assert spread(summary([None]), PERCENT) == "-"
    assert spread(summary([0.5]), PERCENT) == "50.0"
    assert spread(summary([0.5, 0.7]), PERCENT) == "60.0 ± 14.1"


def test_gains_tell_how_many_seeds_rose_and_a_star_where_they_are_told_apart() -> None:
    assert gain(paired([None], [0.5])) == "-"
    assert gain(paired([0.6, 0.4], [0.5, 0.5])) == "+0.00 ± 14.14 (1/2)"
    told = gain(paired([60.0, 61.0, 60.5], [50.0, 51.0, 50.4]), Format(1, 1, "+"))
    assert told == "+10.0 ± 0.1 (3/3) \\*"


def test_a_table_has_a_rule_and_names_cannot_break_it() -> None:
    assert grid(["", "a"], [["x", "1"]]) == "|  | a |\n| :-- | --: |\n| x | 1 |"
    assert escaped("a|b\n<c") == r"a\|b \<c"


def test_seeds_that_agree_are_one_number() -> None:
    assert per_seed([4, 4]) == "4"
    assert per_seed([4, 5]) == "4 / 5"
