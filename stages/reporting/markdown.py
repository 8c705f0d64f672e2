"""Tables and numbers in GitHub Markdown: what the texts of an ablation share."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

Numbers = Mapping[str, Any]


class Format(NamedTuple):
    """How a number is printed: times `scale`, with so many places; sign "+" shows every sign."""

    scale: int
    places: int
    sign: str = ""


PERCENT, POINTS, RATIO = Format(100, 1), Format(100, 2, "+"), Format(1, 3)
UNSIGNED = Format(100, 2)


def shown(value: float | None, form: Format) -> str:
    """A number as it is printed; a dash for what was not measured."""
    if value is None:
        return "-"
    text = f"{value * form.scale:{form.sign}.{form.places}f}"
    return re.sub(r"^-(?=0\.?0*$)", form.sign, text)  # no minus before a zero


def spread(entry: Numbers, form: Format) -> str:
    """Mean ± sd; the mean alone of a single seed."""
    mean = shown(entry["mean"], form)
    plain = Format(form.scale, form.places)
    return mean if entry["sd"] is None else f"{mean} ± {shown(entry['sd'], plain)}"


def gain(entry: Numbers, form: Format = POINTS) -> str:
    """A difference within seeds, as `paired`: mean ± sd, seeds with a gain, a star where told."""
    if not entry["seeds"]:
        return "-"
    told = r" \*" * bool(entry["told"])
    return f"{spread(entry, form)} ({entry['raised']}/{entry['seeds']}){told}"


def per_seed(counts: Sequence[int]) -> str:
    """One number where all seeds have the same."""
    return " / ".join(map(str, counts if len(set(counts)) > 1 else counts[:1]))


def grid(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table: first column to the left, numbers to the right."""
    rule = [":--", *["--:"] * (len(heads) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, rule, *lines))


def escaped(text: str) -> str:
    """A name that is shown as it is, on one line."""
    return re.sub(r"([\\|`*<\[])", r"\\\1", " ".join(text.split()))
