"""ranking: the most doubtful, and an even sample of the others."""

import numpy as np

from stages.reporting.page.ranking import shown_labels


def test_few_labels_are_all_shown() -> None:
    assert shown_labels(np.array([0.1, 0.9, 0.5]), 3).tolist() == [0, 1, 2]
    assert shown_labels(np.zeros(0), 3).tolist() == []


def test_half_are_the_most_doubtful_and_the_rest_is_even() -> None:
    doubt = np.arange(100)[::-1] / 100  # the first are the most doubtful
    assert shown_labels(doubt, 10).tolist() == [0, 1, 2, 3, 4, 5, 29, 52, 75, 99]


def test_none_and_one_are_fine() -> None:
    assert shown_labels(np.array([0.2, 0.8]), 0).tolist() == []
    assert shown_labels(np.array([0.2, 0.8]), 1).tolist() == [1]
