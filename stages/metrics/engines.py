"""Training engines side by side: what they did with the same labels, and what came of it. Pure."""

from collections.abc import Mapping, Sequence
from statistics import mean, median
from typing import Any

Row = Mapping[str, Any]  # of one engine: training.json, its course, and its scored detector

SAME = ("images", "annotations", "masks_ignored")  # facts that must agree
AVERAGES = ("AP", "AP50", "AP75")
HEADS = (
    *("engine", "library", "steps", "loss at first", "at last", "images/s"),
    *(f"{kind} {name}" for kind in ("box", "mask") for name in AVERAGES),
    "detections",
)


def course_of(lines: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """How a training went, from the lines of its log.

    Returns
    -------
    {"loss_at_first", "loss_at_last": means over the first and the last tenth of the steps,
    "images_per_second": median over the steps}.

    Raises
    ------
    ValueError : no lines.
    """
    if not lines:
        raise ValueError("compare: a training's log is empty. Rerun train.")
    tenth = max(len(lines) // 10, 1)
    losses = [line["loss"] for line in lines]
    return {
        "loss_at_first": mean(losses[:tenth]),
        "loss_at_last": mean(losses[-tenth:]),
        "images_per_second": median(line["images_per_second"] for line in lines),
    }


def check_same_labels(rows: Sequence[Row]) -> None:
    """Raise ValueError where two engines trained on different numbers of images or labels."""
    for row in rows[1:]:
        for name in SAME:
            if row[name] != rows[0][name]:
                raise ValueError(
                    f"compare: {row['engine']} was trained on {row[name]} {name}, "
                    f"{rows[0]['engine']} on {rows[0][name]}. Rerun train for both."
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
