"""A config of any sound size passes; what stands for billions of values does not."""

from typing import Any

import pytest
import yaml

from stages.settings.bounds import DEEPEST, MOST, bounded
from tests.alias_bomb import BOMB


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"a": [value]}
    return value


@pytest.mark.parametrize(
    "values",
    [None, {}, 5, "text", [], {"a": {"b": [1, {"c": None}]}}, nested(DEEPEST // 2), [0] * 1000],
    ids=str,
)
def test_what_a_person_writes_passes_as_it_is(values: Any) -> None:
    assert bounded(values, "x") is values


ODD = {
    "a bomb of aliases": (lambda: yaml.safe_load(BOMB), f"x: more than {MOST} values"),
    "an alias to itself": (lambda: yaml.safe_load("a: &a {b: *a}"), "an alias leads to itself"),
    "a list of itself": (lambda: yaml.safe_load("a: &a [*a]"), "an alias leads to itself"),
    "too deep": (lambda: nested(DEEPEST), f"x: keys are nested more than {DEEPEST} deep"),
}


@pytest.mark.parametrize(("values", "words"), ODD.values(), ids=ODD.keys())
def test_what_has_no_end_is_refused(values: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        bounded(values(), "x")
