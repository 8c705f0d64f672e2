"""Odd values: what strangers' files hold where a number, a name or a list is wanted."""

import copy
import math
from random import Random
from typing import Any

NUMBERS: list[Any] = [
    *(None, True, False, 0, -1, 1, 2, 3, 0.5, -0.0, 1.0, 1e300, -1e308, 5e-324),
    *(math.nan, math.inf, -math.inf, 161, 2**31 - 1, 2**31, 2**32, 2**53, 2**63 - 1, 2**63),
    *(10**30, -(10**30), 10**400, 1e-9, 119.999999, 160, 120, 999_999),
]
TEXTS: list[str] = [
    *("", " ", "0", "-1", "1.5", "nan", "inf", "1e999", "1_000", "+-5", "0x10", "1,5", "null"),
    *("a.png", "b.png", "A.PNG", "./a.png", "x\\a.png", "../a.png", "..", "/etc/hostname", "/"),
    *("C:\\a.png", "C:", "sub", "%00", "%2e%2e/a.png", "sub%2Fc.jpg", "http://[", "a.png?x#y"),
    *("data:image/png;base64,AAAA", "s3://b/a.png", "images/a.png", "file:///a.png", "//a.png"),
    *("\0", "a\0b", "\ud800", "\udc80.png", "\u202egnp.a", "e\u0301.png", "\u00e9.png", "\u00b2"),
    *("\u0661", "\ufeff", "\x85", "\x1c", "\n", "\r\n", "\t", "'", '"', "`", "<b>", "&amp;", "]]>"),
    *("=1+1", "a" * 300, "x" * 5000, "a/" * 500, "\u4e2d\u6587", "\U0001f600", "--", "*a", "&a b"),
    *("true", "No", "[1, 2]", "{}", "!!int ''", "1:30:00.5", "2001-99-99", "2024-01-01", "~"),
    *("9" * 30, "1" * 5000, "-0", "1.", ".5", "1e5", "1d5", "infinity", "polygon", "point"),
]
DEEP = 60
LISTS: list[Any] = [
    *([], {}, [[]], [None], [1], [1, 2], [1, 2, 3], [1, 2, 3, 4], [0, 0, 0, 0], ["a"], {"a": 1}),
    *([1.5, math.nan], [[1, 2], [3, 4], [9, 9]], [[1, 2, 9, 2, 9, 9]], [[1e9] * 6], [-1] * 4),
    *([10**400] * 6, {"size": [120, 160], "counts": [19200]}, {"counts": "0"}, {"size": [1, 1]}),
    *({"size": [120, 160], "counts": "PPP"}, {"size": [120, 160], "counts": [-5, 19205]}),
    *({"size": [120, 160], "counts": [2**32, -(2**32), 19200]}, [[160, 0, 170, 0, 170, 9]]),
]
RAW: list[str] = [  # JSON that Python would not write
    *("[" * count + "]" * count for count in (DEEP, 400, 800, 900, 950, 980, 100_000)),
    *('{"a":' * count + "1" + "}" * count for count in (DEEP, 900, 970)),
    *("1" * 5000, "-Infinity", "1e400", "0.1" + "1" * 5000, '{"a":1,"a":2}', "01", "1e-400"),
    *('"\\ud800"', '"\\udc80.png"', "tru", "", "/**/1"),
]


def odd_value(rng: Random) -> Any:
    """Anything that JSON can hold; a copy, which may be spoiled in turn."""
    return copy.deepcopy(rng.choice(rng.choice([NUMBERS, TEXTS, LISTS])))


def odd_text(rng: Random) -> str:
    """Anything that text can hold."""
    return rng.choice(TEXTS) if rng.random() < 0.7 else str(rng.choice(NUMBERS[:-6]))
