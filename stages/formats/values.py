"""Values out of strangers' files: converted where that is unambiguous, else refused in words.

Each function raises ValueError with the end of a sentence, such as "'abc' is no number". Standard
library alone.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

LARGEST = 2**63 - 1  # of an id: tables hold int64
LARGEST_CLASS = 2**31 - 1  # of a class: tables hold int32
TRUE, FALSE = ("1", "true", "yes"), ("0", "false", "no", "")


def whole(value: Any, low: int = 0, high: int = LARGEST) -> int:
    """A whole number from `low` to `high`: of an int, a float without a fraction, or its digits."""
    number = _whole(value)
    if number is None:
        raise ValueError(f"{shown(value)} is no whole number")
    if not low <= number <= high:
        raise ValueError(f"{shown(number)} is not from {low} to {high}")
    return number


def _whole(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        digits = value.strip()
        is_whole = digits[digits[:1] in ("+", "-") :].isdecimal() and len(digits) < 20
        return int(digits) if is_whole else None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) else None


def number(value: Any) -> float:
    """A finite number: of an int, a float, or text that reads as one."""
    try:
        found = math.nan if isinstance(value, bool) or value is None else float(value)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not math.isfinite(found):
        raise ValueError(f"{shown(value)} is no finite number")
    return found


def numbers(values: Any, count: int, form: str) -> tuple[float, ...]:
    """So many finite numbers in a list; `form` says what they are: "[x, y]"."""
    if not isinstance(values, Sequence) or isinstance(values, str | bytes) or len(values) != count:
        raise ValueError(f"{shown(values)} is not {form}")
    return tuple(number(value) for value in values)


def text(value: Any) -> str:
    """Text that is not empty: itself, or the digits of a finite number."""
    try:
        found = str(value) if _is_number(value) else value
    except ValueError:  # it has more digits than Python writes
        found = None
    if not isinstance(found, str) or not found.strip() or not _is_unicode(found):
        raise ValueError(f"{shown(value)} is no text")
    return found


def _is_number(value: Any) -> bool:
    """Whether text may be a number: NaN is how data frames write that there is none."""
    is_float = isinstance(value, float) and math.isfinite(value)
    return is_float or (isinstance(value, int) and not isinstance(value, bool))


def _is_unicode(value: str) -> bool:
    """Whether text can be written: JSON may hold halves of characters."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def flag(value: Any) -> bool:
    """True or False: of 0, 1, a bool, or one of their words; of nothing, False."""
    word = _word(value)
    if word not in TRUE + FALSE:
        raise ValueError(f"{shown(value)} is neither 0 nor 1")
    return word in TRUE


def _word(value: Any) -> str | None:
    """The word of a flag, None where it has none."""
    if value is None or isinstance(value, str):
        return (value or "").strip().lower()
    is_set = isinstance(value, int | float) and value in (0, 1)
    return str(int(value)) if is_set else None


def given(convert: Callable[[Any], Any], value: Any) -> Any:
    """None for what is absent (None, [], {} or ""), else converted."""
    return None if value is None or value in ([], {}, "") else convert(value)


def shown(value: Any, length: int = 60) -> str:
    """A value for a sentence, not longer than that."""
    try:
        told = repr(value)
    except RecursionError:
        return "a value that is nested too deep"
    except ValueError:  # Python writes no more than 4,300 digits
        return "a number of too many digits"
    return told if len(told) <= length else f"{told[: length - 3]}..."
