"""Labels as they are taken: those that stand for one object each, with their coordinates in px."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from stages.formats.format import Label


def standing(labels: Iterable[Label], crowds: str, counts: Counter[str]) -> list[Label]:
    """The labels that stand for one object each, as prepare.crowds says.

    Parameters
    ----------
    counts : takes `crowds_kept` and `crowds_left_out`.
    """
    kept = []
    for label in labels:
        is_object = crowds == "all" or (crowds == "pointed" and label.point is not None)
        if label.is_crowd:
            counts["crowds_kept" if is_object else "crowds_left_out"] += 1
        if is_object or not label.is_crowd:
            kept.append(label)
    return kept


def in_px(label: Label, width: int, height: int) -> Label:
    """The label with its coordinates in px of an image of that size."""
    if not label.is_relative:
        return label
    sides = (width, height)
    return replace(
        label,
        point=label.point and _scaled(label.point, sides),
        box=label.box and _scaled(label.box, sides),
        mask=label.mask and [_scaled(polygon, sides) for polygon in label.mask],
        is_relative=False,
    )


def _scaled(values: Any, sides: tuple[int, int]) -> Any:
    """Alternating shares of the sides, as px; of the type that they came in."""
    return type(values)(value * sides[i % 2] for i, value in enumerate(values))
