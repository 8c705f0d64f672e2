"""Whether numbers that foretell how good a label is do so: calibration and ranking. Pure."""

from typing import Any

import numpy as np

BINS = 10  # of equal width, of the expected calibration error


def calibration_error(foretold: np.ndarray, outcomes: np.ndarray) -> float | None:
    """Mean over labels of their bin's |mean foretold - mean outcome|; None without labels.

    Parameters
    ----------
    foretold, outcomes : (n,) in [0, 1]; outcomes may be shares.

    Source: Guo et al., On calibration of modern neural networks, ICML 2017, Eq. 3.
    """
    if not len(foretold):
        return None
    places = np.minimum((np.asarray(foretold) * BINS).astype(int), BINS - 1)
    apart = np.bincount(places, weights=np.asarray(foretold) - outcomes, minlength=BINS)
    return float(np.abs(apart).sum() / len(foretold))


def separation(foretold: np.ndarray, is_good: np.ndarray) -> float | None:
    """Area under the ROC curve: the chance that a good label has the higher number, ties halved.

    Parameters
    ----------
    foretold : (n,). is_good : (n,) bool. None unless there are labels of both kinds.
    """
    good, bad = int(is_good.sum()), int((~is_good).sum())
    if not good or not bad:
        return None
    ranks = rankdata(foretold)
    return float((ranks[is_good].sum() - good * (good + 1) / 2) / (good * bad))


def rank_correlation(foretold: np.ndarray, outcomes: np.ndarray) -> float | None:
    """Spearman's correlation; None where one of the two does not vary."""
    if len(foretold) < 2:
        return None
    first, second = rankdata(foretold), rankdata(outcomes)
    if not first.std() or not second.std():
        return None
    return float(np.corrcoef(first, second)[0, 1])


def rankdata(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, ties share their mean, (n,) float64: scipy.stats, whose import takes a second.

    Parameters
    ----------
    values : (n,), none of them NaN.
    """
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((counts.cumsum() - (counts - 1) / 2)[places])


def trust_of(foretold: np.ndarray, ious: np.ndarray, *, good: float) -> dict[str, Any]:
    """What a number is worth that foretells mask IoU, or that it is good.

    Parameters
    ----------
    foretold : (n,), NaN where it is missing: such labels are left out. ious : (n,) mask IoU.
    good : IoU from which a label is right.

    Returns
    -------
    {"n", "iou_error", "good_error": calibration errors, of the IoU and of being right, of numbers
    cut to [0, 1]; "auroc": of right against wrong, "spearman": with the IoU}.
    """
    there = ~np.isnan(foretold)
    seen, outcomes = foretold[there], ious[there]
    is_good = outcomes >= good
    shares = np.clip(seen, 0.0, 1.0)  # a segmenter may expect an IoU beyond 1
    return {
        "n": int(there.sum()),
        "iou_error": calibration_error(shares, outcomes),
        "good_error": calibration_error(shares, is_good.astype(float)),
        "auroc": separation(seen, is_good),
        "spearman": rank_correlation(seen, outcomes),
    }
