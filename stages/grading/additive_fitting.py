"""How an additive model is fitted: penalised maximum likelihood. Pure.

The loss is the cross-entropy against outcomes in [0, 1], shares as well as yes and no, plus squares
of the steps between neighbouring values of a curve, of its bends and of its values, so that a curve
is flat where there is little to learn from. It is convex, so that nothing depends on a start.
"""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize

from stages.grading.additive import Additive, Curve, hats

KNOTS = 8  # of a curve, at quantiles, where there are as many values
STEP, BEND, SIZE = 3.0, 5.0, 0.3  # weights of the squares, chosen on the worlds of the fit
MISSING = 0.02  # least share of the rows for a curve to have a value for what is missing


def knots_of(numbers: np.ndarray) -> np.ndarray:
    """(k,) quantiles of what is not missing, rising, at most KNOTS; [0] where all is missing."""
    seen = numbers[~np.isnan(numbers)]
    if not len(seen):
        return np.zeros(1)
    return np.unique(np.quantile(seen, np.linspace(0, 1, KNOTS)).round(6))


def fitted(numbers: np.ndarray, outcomes: np.ndarray, names: Sequence[str]) -> Additive:
    """The model that foretells outcomes best.

    Parameters
    ----------
    numbers : (n, e), NaN where missing. names : (e,) of the columns. outcomes : (n,) in [0, 1].

    Returns
    -------
    Curves whose mean over these rows is 0 each, so that a part below 0 speaks against.
    """
    knots = [knots_of(column) for column in numbers.T]
    parts = [hats(column, k) for column, k in zip(numbers.T, knots, strict=True)]
    design = np.concatenate([*parts, np.ones((len(numbers), 1))], axis=1)
    widths = [part.shape[1] for part in parts]
    penalty = _penalty(widths)

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        total = design @ weights
        # log(1 + e^t) - y t, and its slope
        value = np.logaddexp(0.0, total).sum() - outcomes @ total
        slope = design.T @ (1.0 / (1.0 + np.exp(-total)) - outcomes)
        pull = penalty @ weights
        return float(value + weights @ pull), slope + 2 * pull

    start = np.zeros(design.shape[1])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 3000})
    return _centred(found.x, knots, parts, names)


def _penalty(widths: Sequence[int]) -> np.ndarray:
    """(w, w) matrix of the squares that are added, the constant's row and column 0."""
    total = sum(widths) + 1
    matrix = np.zeros((total, total))
    start = 0
    for width in widths:
        inner = width - 1  # the last one is of what is missing
        steps = np.diff(np.eye(inner), axis=0)
        bends = np.diff(np.eye(inner), n=2, axis=0)
        own = slice(start, start + inner)
        matrix[own, own] += STEP * steps.T @ steps + BEND * bends.T @ bends
        whole = slice(start, start + width)
        matrix[whole, whole] += SIZE * np.eye(width)
        start += width
    return matrix


def _centred(
    weights: np.ndarray,
    knots: Sequence[np.ndarray],
    parts: Sequence[np.ndarray],
    names: Sequence[str],
) -> Additive:
    """The model of these weights, what each curve adds on average moved to the constant."""
    curves, start, constant = {}, 0, float(weights[-1])
    for name, k, part in zip(names, knots, parts, strict=True):
        own = weights[start : start + part.shape[1]]
        start += part.shape[1]
        mean = float((part @ own).mean())
        constant += mean
        missing = own[-1] - mean if part[:, -1].mean() >= MISSING else 0.0
        curves[name] = Curve(k, (own[:-1] - mean).round(6), round(float(missing), 6))
    return Additive(curves, round(constant, 6))
