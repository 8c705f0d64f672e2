"""Which labels are the most doubtful, and which a page shows where it does not hold all; pure."""

import numpy as np


def most_doubtful_first(doubt: np.ndarray) -> np.ndarray:
    """Numbers of the labels, the most doubtful first; among equal ones the first come first.

    Parameters
    ----------
    doubt : (n,) the higher the more doubtful.
    """
    return np.argsort(-doubt, kind="stable")


def shown_labels(doubt: np.ndarray, most: int) -> np.ndarray:
    """Numbers of the labels that are shown, rising.

    Half of the places are for the most doubtful; the other half goes evenly through the rest, so
    that a page is no gallery of failures alone.

    Parameters
    ----------
    doubt : (n,) the higher the more doubtful; among equal ones the first come first.
    most : how many are shown, at most.
    """
    order = most_doubtful_first(doubt)
    if len(order) <= most:
        return np.arange(len(order))
    worst = (most + 1) // 2
    rest = order[worst:]
    places = np.linspace(0, len(rest) - 1, most - worst).round().astype(int)
    return np.sort(np.concatenate([order[:worst], rest[np.unique(places)]]))
