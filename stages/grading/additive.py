"""An additive model of evidence: a sum of functions of one number each, made a probability. Pure.

Each function is linear between knots, with a value of its own for what is missing; the sum goes
through the logistic function. Such models tell why: each function's value is what its evidence
adds (Hastie and Tibshirani, Generalized additive models, Statistical Science 1986; Lou, Caruana,
Gehrke, Intelligible models, KDD 2012, where trees take the place of our lines).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A function of one number.

    knots : (k,) rising, at least one; beyond the ends the function is constant.
    values : (k,) at the knots. missing : where the number is NaN.
    """

    knots: np.ndarray
    values: np.ndarray
    missing: float

    def at(self, numbers: np.ndarray) -> np.ndarray:
        """(n,) values at these numbers, (n,), NaN where missing."""
        found = np.interp(np.nan_to_num(numbers), self.knots, self.values)
        return np.where(np.isnan(numbers), self.missing, found)


@dataclass(frozen=True, slots=True, eq=False)
class Additive:
    """A sum of curves, by the names of what they are of, and a constant."""

    curves: Mapping[str, Curve]
    constant: float

    def parts(self, numbers: np.ndarray, names: Sequence[str]) -> np.ndarray:
        """What each number adds.

        Parameters
        ----------
        numbers : (n, e), NaN where missing. names : (e,) of the columns.

        Returns
        -------
        (n, e) float64; 0 for columns that have no curve.
        """
        found = np.zeros(numbers.shape)
        for place, name in enumerate(names):
            if name in self.curves:
                found[:, place] = self.curves[name].at(numbers[:, place])
        return found

    def probabilities(self, numbers: np.ndarray, names: Sequence[str]) -> np.ndarray:
        """(n,) in (0, 1), for numbers as in `parts`."""
        total = self.constant + self.parts(numbers, names).sum(axis=1)
        return np.asarray(1.0 / (1.0 + np.exp(-total)))


def hats(numbers: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """What each value of a curve counts for at these numbers.

    Parameters
    ----------
    numbers : (n,), NaN where missing. knots : (k,) rising.

    Returns
    -------
    (n, k + 1) float64, rows that sum to 1; the last column is for what is missing.
    """
    missing = np.isnan(numbers)
    found = np.empty((len(numbers), len(knots) + 1))
    for place, values in enumerate(np.eye(len(knots))):
        found[:, place] = np.where(missing, 0.0, np.interp(np.nan_to_num(numbers), knots, values))
    found[:, -1] = missing
    return found
