"""Means and spreads over seeds, of values and of differences within a seed. Pure.

A spread is the sample standard deviation over seeds (ddof = 1), None for a single seed. A value
that was not measured is None, and left out.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import stats

LEVEL = 0.05  # chance that a difference is told apart where there is none


def summary(values: Sequence[float | None]) -> dict[str, Any]:
    """{"per_seed": the values, "mean", "sd"} over those that are there; None for too few."""
    there = [value for value in values if value is not None]
    return {
        "per_seed": list(values),
        "mean": float(np.mean(there)) if there else None,
        "sd": float(np.std(there, ddof=1)) if len(there) > 1 else None,
    }


def paired(values: Sequence[float | None], base: Sequence[float | None]) -> dict[str, Any]:
    """Differences within each seed.

    Returns
    -------
    {"per_seed", "mean", "sd", "min", "seeds": that have both, "raised": seeds where the value is
    above the base, "beyond_3_sd": mean above three times sd, "least": as `least_told`, "told":
    the mean is further from 0 than that}; the last three are None for a single seed.
    """
    pairs = zip(values, base, strict=True)
    differences = [None if a is None or b is None else a - b for a, b in pairs]
    there = [value for value in differences if value is not None]
    made = summary(differences)
    least = least_told(made["sd"], len(there))
    return {
        **made,
        "min": min(there, default=None),
        "seeds": len(there),
        "raised": sum(value > 0 for value in there),
        "beyond_3_sd": None if made["sd"] is None else made["mean"] > 3 * made["sd"],
        "least": least,
        "told": None if least is None else abs(made["mean"]) > least,
    }


def least_told(sd: float | None, pairs: int) -> float | None:
    """The smallest mean difference that so many pairs tell apart from none.

    Two-sided paired t-test at LEVEL: half of the mean's confidence interval, t sd / sqrt(pairs).

    Parameters
    ----------
    sd : of the differences, >= 0; None where it was not measured. pairs : >= 0.

    Returns
    -------
    In the unit of `sd`; None for fewer than two pairs.
    """
    if sd is None or pairs < 2:
        return None
    return float(stats.t.ppf(1 - LEVEL / 2, pairs - 1) * sd / pairs**0.5)
