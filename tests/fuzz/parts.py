"""What built files are put together from: parts that are mostly sound, for hypothesis."""

from typing import Any
from xml.sax.saxutils import escape, quoteattr

from hypothesis import strategies as st

from tests.fuzz.cases import WIDTH
from tests.fuzz.odd import LISTS, NUMBERS, TEXTS

Made = st.SearchStrategy[Any]
ODD_IN = 40  # parts, of which one is odd
GONE = object()  # a key, an attribute or an element that is not there

TEXT: Made = st.sampled_from(TEXTS) | st.text(max_size=12)
NUMBER: Made = st.sampled_from(NUMBERS) | st.integers() | st.floats()
TREE: Made = st.recursive(NUMBER | TEXT, lambda part: st.lists(part, max_size=4), max_leaves=8)
ODD: Made = NUMBER | TEXT | st.sampled_from(LISTS) | TREE
NOTHING: Made = st.just(GONE)
PIXEL: Made = st.integers(0, WIDTH) | st.floats(-1, WIDTH)
FILE: Made = st.sampled_from(["a.png", "b.png", "sub/c.jpg"])
CLASS: Made = st.sampled_from(["cat", "dog"])


def mostly(sound: Any, odd: Made = ODD) -> Made:
    """What is sound, and seldom what is odd; sound where hypothesis makes a case small."""
    made = sound if isinstance(sound, st.SearchStrategy) else st.just(sound)
    return st.integers(1, ODD_IN).flatmap(lambda number: odd if number == ODD_IN else made)


def record(**parts: Any) -> Made:
    """An object of JSON with values that are mostly sound and there."""
    made = {name: mostly(part, ODD | NOTHING) for name, part in parts.items()}
    return st.fixed_dictionaries(made).map(_there)


def _there(made: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in made.items() if value is not GONE}


def some(part: Made, most: int = 4) -> Made:
    """A list of parts."""
    return st.lists(mostly(part), max_size=most)


def pairs(least: int, most: int) -> Made:
    """Points of a shape, [x, y] each."""
    pair = st.lists(mostly(PIXEL, NUMBER), min_size=2, max_size=2)
    return st.lists(mostly(pair, NUMBER), min_size=least, max_size=most)


def element(tag: str, attributes: dict[str, Any], *inside: Made) -> Made:
    """Text of an element of XML with attributes, and a few of each of those inside."""
    tags = mostly(tag, st.sampled_from(["a", "image", "object", "box"]))
    values = {name: mostly(part, TEXT | NOTHING) for name, part in attributes.items()}
    lists = [st.lists(part, max_size=3) for part in inside]
    return st.tuples(tags, st.fixed_dictionaries(values), *lists).map(_element)


def _element(made: tuple[Any, ...]) -> str:
    tag, attributes, *inside = made
    said = (f" {name}={quoteattr(str(value))}" for name, value in _there(attributes).items())
    return f"<{tag}{''.join(said)}>{''.join(map(''.join, inside))}</{tag}>"


def leaf(tag: str, sound: Any) -> Made:
    """An element with text alone, mostly there."""
    value = mostly(sound, TEXT | NOTHING)
    return value.map(lambda v: "" if v is GONE else f"<{tag}>{escape(str(v))}</{tag}>")


def joined(tag: str, *inside: Made) -> Made:
    """An element of others, once, and seldom twice or not at all."""
    whole = st.tuples(*inside).map(lambda parts: f"<{tag}>{''.join(parts)}</{tag}>")
    return mostly(whole, st.just("") | whole.map(lambda text: text * 2))


def encoded(text: str) -> bytes:
    """Text as a file has it, halves of characters too."""
    return text.encode("utf-8", "surrogatepass")
