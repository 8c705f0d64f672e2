"""Training engines side by side: what they did with the same labels, and what came of it. Pure."""

from collections.abc import Mapping
from typing import Any

from stages.metrics.course import SAME, Row

AVERAGES = ("AP", "AP50", "AP75")
HEADS = (
    *("engine", "library", "steps", "loss at first", "at last", "images/s"),
    *(f"{kind} {name}" for kind in ("box", "mask") for name in AVERAGES),
    "detections",
)


def engines_table(numbers: Mapping[str, Any]) -> str:
    """The text of engines.md: GitHub Markdown, AP in %."""
    rows = numbers["engines"]
    facts = ", ".join(f"{rows[0][name]} {name.replace('_', ' ')}" for name in SAME)
    cells = [HEADS, [":--", ":--", *["--:"] * (len(HEADS) - 2)], *map(_cells, rows)]
    absent = [f"{name}: not installed here, so not compared." for name in numbers["absent"]]
    table = "\n".join(f"| {' | '.join(line)} |" for line in cells)
    return "\n\n".join(["# Engines", f"Trained on {facts}.", table, *absent]) + "\n"


def _cells(row: Row) -> list[str]:
    detector = row["detector"] or {}
    scores = [
        (detector.get(kind) or {}).get(name) for kind in ("bbox", "segm") for name in AVERAGES
    ]
    version = row["packages"].get(row["engine"], "-")
    return [
        row["engine"],
        version,
        str(row["steps"]),
        f"{row['loss_at_first']:.3f}",
        f"{row['loss_at_last']:.3f}",
        f"{row['images_per_second']:.2f}",
        *("-" if score is None else f"{100 * score:.1f}" for score in scores),
        str(detector.get("detections", "-")),
    ]
