"""How trainings with different engines went, and whether they can be held side by side. Pure."""

from collections.abc import Mapping, Sequence
from statistics import mean, median
from typing import Any

Row = Mapping[str, Any]  # of one engine: training.json, its course, and its scored detector

SAME = ("images", "annotations", "masks_ignored")  # facts that must agree


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
