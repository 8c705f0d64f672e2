"""Columns for a terminal."""

from stages.reporting.columns import aligned, number_text


def test_what_was_not_measured_is_a_dash() -> None:
    assert (number_text(None), number_text(0.12345), number_text(0)) == ("-", "0.123", "0.000")


def test_numbers_are_right_aligned_below_their_heads_and_no_line_ends_in_blanks() -> None:
    text = aligned([("class", "n", ""), ("a", "100", ""), ("longer name", "2", "")])
    assert text.splitlines() == ["class          n", "a            100", "longer name    2"]
