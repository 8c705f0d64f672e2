"""Pseudo-labels as they were graded: rows of two tables laid together. Pure."""

from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]


def graded(labels: Sequence[Row], grades: Sequence[Row]) -> list[Row]:
    """Rows of table `pseudo_labels` with score, mask quality and reasons of table `grades`.

    Parameters
    ----------
    labels, grades : rows of one image, both by rising instance_id.

    Returns
    -------
    (n,) copies; what the method said of the class is their `method_score`.

    Raises
    ------
    ValueError : the two are not about the same objects.
    """
    ours, theirs = ([row["instance_id"] for row in rows] for rows in (labels, grades))
    if ours != theirs:
        odd = sorted(set(ours) ^ set(theirs)) or ours[:1]
        raise ValueError(
            f"image {(labels or grades)[0]['image_id']}: instance {odd[0]} is not in both of the "
            "tables pseudo_labels and grades. They are of different runs: rerun with -R grade."
        )
    names = ("score", "mask_quality", "reasons")
    return [
        {**label, **{name: grade[name] for name in names}, "method_score": label["score"]}
        for label, grade in zip(labels, grades, strict=True)
    ]
