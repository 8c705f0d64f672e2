"""Values of strangers: converted where there is one way to read them, else refused in words."""

import json
import math
from decimal import Decimal
from typing import Any

import pytest

from stages.formats.values import LARGEST, flag, given, number, numbers, shown, text, whole

HUGE = 10**5000  # Python refuses to write it in digits
HALF = json.loads('"\\ud800"')  # of a character, as JSON may hold it
DEEP: Any = []
for _ in range(100_000):
    DEEP = [DEEP]

CONVERTED = {
    "whole: nothing": (whole, 0, 0),
    "whole: as it is": (whole, 7, 7),
    "whole: the largest": (whole, LARGEST, LARGEST),
    "whole: a float": (whole, 7.0, 7),
    "whole: digits": (whole, " +12 ", 12),
    "whole: digits of another script": (whole, "\u0661\u0662", 12),
    "number: an int": (number, 3, 3),
    "number: text": (number, " -1.5e1 ", -15),
    "number: a decimal": (number, Decimal("1.5"), 1.5),
    "text: itself": (text, " cat ", " cat "),
    "text: of a number": (text, 3, "3"),
    "text: of a float": (text, 1.5, "1.5"),
    "flag: nothing": (flag, None, False),
    "flag: empty": (flag, "", False),
    "flag: a bool": (flag, True, True),
    "flag: a number": (flag, 1, True),
    "flag: a float": (flag, 0.0, False),
    "flag: a float that is set": (flag, 1.0, True),
    "flag: a word": (flag, " No ", False),
    "flag: digits": (flag, "1", True),
}


@pytest.mark.parametrize(("convert", "value", "expected"), CONVERTED.values(), ids=CONVERTED.keys())
def test_what_reads_in_one_way_is_converted(convert: Any, value: Any, expected: Any) -> None:
    found = convert(value)
    assert found == expected
    assert type(found) is {whole: int, number: float, text: str, flag: bool}[convert]


REFUSED = {
    "whole: null": (whole, None, "None is no whole number"),
    "whole: empty": (whole, "", "'' is no whole number"),
    "whole: a bool": (whole, True, "True is no whole number"),
    "whole: a fraction": (whole, 1.5, "1.5 is no whole number"),
    "whole: NaN": (whole, math.nan, "nan is no whole number"),
    "whole: infinity": (whole, math.inf, "inf is no whole number"),
    "whole: two signs": (whole, "+-5", r"'\+-5' is no whole number"),
    "whole: a sign alone": (whole, "-", "'-' is no whole number"),
    "whole: a superscript": (whole, "2\u00b2", "is no whole number"),
    "whole: underscores": (whole, "1_0", "'1_0' is no whole number"),
    "whole: too many digits": (whole, "9" * 20, "is no whole number"),
    "whole: a list": (whole, [1], r"\[1\] is no whole number"),
    "whole: below": (whole, -1, f"-1 is not from 0 to {LARGEST}"),
    "whole: above": (whole, LARGEST + 1, "is not from 0"),
    "whole: far above": (whole, HUGE, "^a number of too many digits is not from 0"),
    "number: null": (number, None, "None is no finite number"),
    "number: a bool": (number, False, "False is no finite number"),
    "number: empty": (number, "", "'' is no finite number"),
    "number: a word": (number, "x", "'x' is no finite number"),
    "number: NaN": (number, "NaN", "'NaN' is no finite number"),
    "number: beyond floats": (number, "1e999", "'1e999' is no finite number"),
    "number: a huge int": (number, HUGE, "^a number of too many digits is no finite number"),
    "number: an object": (number, {}, r"\{\} is no finite number"),
    "number: nested": (number, DEEP, "^a value that is nested too deep is no finite number"),
    "text: null": (text, None, "None is no text"),
    "text: blank": (text, " \t", r"' \\t' is no text"),
    "text: a bool": (text, True, "True is no text"),
    "text: NaN": (text, math.nan, "nan is no text"),
    "text: infinity": (text, -math.inf, "-inf is no text"),
    "text: half a character": (text, HALF, r"'\\ud800' is no text"),
    "text: a huge int": (text, HUGE, "^a number of too many digits is no text"),
    "text: a list": (text, ["a"], r"\['a'\] is no text"),
    "flag: two": (flag, 2, "2 is neither 0 nor 1"),
    "flag: a half": (flag, 0.5, "0.5 is neither 0 nor 1"),
    "flag: NaN": (flag, math.nan, "nan is neither 0 nor 1"),
    "flag: a huge int": (flag, HUGE, "^a number of too many digits is neither 0 nor 1"),
    "flag: a list": (flag, [], r"\[\] is neither 0 nor 1"),
    "flag: a word": (flag, "maybe", "'maybe' is neither 0 nor 1"),
}


@pytest.mark.parametrize(("convert", "value", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_does_not_is_refused_in_words(convert: Any, value: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        convert(value)


def test_a_whole_number_is_within_its_range() -> None:
    assert whole("3", 1, 3) == 3
    with pytest.raises(ValueError, match="0 is not from 1 to 3"):
        whole(0, 1, 3)


def test_numbers_are_so_many() -> None:
    assert numbers([], 0, "[]") == ()
    assert numbers([1, "2"], 2, "[x, y]") == (1, 2)
    for values in ([1], [1, 2, 3], "12", b"12", {1: 1, 2: 2}, None, 5):
        with pytest.raises(ValueError, match=r"is not \[x, y\]"):
            numbers(values, 2, "[x, y]")
    with pytest.raises(ValueError, match="None is no finite number"):
        numbers([1, None], 2, "[x, y]")


@pytest.mark.parametrize("value", [None, "", [], {}])
def test_what_is_absent_is_not_converted(value: Any) -> None:
    assert given(whole, value) is None


def test_what_is_given_is_converted() -> None:
    assert given(whole, "5") == 5
    assert given(whole, 0) == 0
    with pytest.raises(ValueError, match="no whole number"):
        given(whole, [0])


def test_a_value_is_shown_in_few_characters() -> None:
    assert shown("") == "''"
    assert shown("x" * 1000, 10) == "'xxxxxx..."
    assert len(shown(list(range(1000)))) == 60
    assert shown(DEEP) == "a value that is nested too deep"
    assert shown(HUGE) == shown([HUGE]) == "a number of too many digits"
