"""The masks of a bag vote for each pixel, weighted by how likely each of them is the object.

Not in the paper, where the exported mask is one proposal (Sec. 3.4). Good proposals of one object
agree but for their ragged borders, bad ones differ in different ways: a weighted vote keeps what
the good ones share, and may be better than each of them.
"""

import numpy as np


def vote_weights(
    select: np.ndarray, refine: np.ndarray, quality: np.ndarray, *, exponent: float
) -> np.ndarray:
    """Weight of each proposal: the geometric mean of both stages' scores times SAM's own estimate.

    Parameters
    ----------
    select, refine : (m,) scores of PSM and of PRM; below 0 where a proposal is not valid.
    quality : (m,) IoU that SAM predicts, 0 to 1. exponent : its power.

    Returns
    -------
    (m,) float64 in [0, 1], summing to 1; equal weights where all scores are 0.
    """
    scores = np.sqrt(select.clip(min=0).astype(np.float64) * refine.clip(min=0))
    weights = scores * quality.clip(min=0) ** exponent
    total = weights.sum()
    return weights / total if total > 0 else np.full(len(weights), 1 / len(weights))


def voted_mask(masks: np.ndarray, weights: np.ndarray, *, threshold: float) -> np.ndarray:
    """Pixels for which at least `threshold` of the weight is.

    Parameters
    ----------
    masks : (m, height, width) bool or 0/1. weights : (m,) summing to 1.
    threshold : share of the weight, 0 to 1; where no pixel has it, those with the most are taken.

    Returns
    -------
    (height, width) bool.
    """
    votes = np.tensordot(weights.astype(np.float32), masks.astype(np.float32), axes=1)
    return np.asarray(votes >= min(threshold, float(votes.max())) - 1e-6)
