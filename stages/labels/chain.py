"""Transforms one after the other; each takes what the one before it gives."""

from collections.abc import Callable, Sequence

from stages.labels.pseudo_label import PseudoLabel

Transform = Callable[[Sequence[PseudoLabel]], list[PseudoLabel]]


def transformed(
    labels: Sequence[PseudoLabel], transforms: Sequence[Transform]
) -> list[PseudoLabel]:
    """The labels of one image after all transforms, in the order given; none change nothing."""
    done = list(labels)
    for transform in transforms:
        done = transform(done)
    return done
