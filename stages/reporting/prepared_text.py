"""What prepare says on the screen of the labels that it took, and of those that it left out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from stages.runtime.program import Sentence
from stages.tables.weak_labels import KINDS

PLURALS = {"point": "points", "box": "boxes", "tag": "tags", "mask": "masks"}


def found(rows: Sequence[Mapping[str, Any]]) -> Sentence:
    """The labels by their kinds: "149 points, 74 boxes"."""
    counts = Counter(row["kind"] for row in rows)
    kinds = (f"{counts[kind]} {PLURALS[kind]}" for kind in KINDS if counts[kind])
    return ", ".join(kinds) or "no labels"


def counted(counts: Mapping[str, int]) -> Sentence:
    """Counts in words, those of nothing left out."""
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count)


def lines_of(
    text: Sentence, left_out: Mapping[str, int], told: Mapping[str, int]
) -> list[Sentence]:
    """What is said on the screen and in the log."""
    lines = [text]
    if counted(left_out):
        lines.append(f"left out: {counted(left_out)}.")
    if counted(told):
        lines.append(f"taken in another way than they stand there: {counted(told)}.")
    return lines
