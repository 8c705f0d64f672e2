"""Labels of a low score are left out, box and all."""

from collections.abc import Sequence

from stages.labels.pseudo_label import PseudoLabel


def drop_below(labels: Sequence[PseudoLabel], *, score: float) -> list[PseudoLabel]:
    """The labels whose score is at least `score`, 0 to 1, in the same order."""
    return [label for label in labels if label.score >= score]
