import numpy as np
import pytest

from stages.labels.drop_below import drop_below
from tests.pseudo_labels import pseudo_label

MASK = np.ones((2, 3), dtype=bool)


@pytest.mark.parametrize(
    ("scores", "kept"),
    [([], []), ([0.5], [0]), ([0.499999], []), ([0.9, 0.1, 0.5, 0.2, 1], [0, 2, 4])],
    ids=["none", "the least score itself", "just below", "many, in their order"],
)
def test_labels_of_at_least_the_score_stay(scores: list[float], kept: list[int]) -> None:
    labels = [pseudo_label(number, MASK, score=score) for number, score in enumerate(scores)]
    assert drop_below(labels, score=0.5) == [labels[number] for number in kept]
