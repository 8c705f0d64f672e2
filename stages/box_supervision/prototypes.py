"""Prototypes of a class: the few directions in which the features of its pixels lie.

SIM (CVPR 2023), Eq. 2 to 5. The pixels of an image are dealt to the L prototypes of their
class by optimal transport, so that each prototype gets about as many; each moves a little towards
the mean of its pixels. Where we depart: a pixel goes to the prototype with the largest share of its
transport plan (the paper's indicator; the released code draws it at random), plans are computed by
their logarithms (the code's overflow), and prototypes have length 1 along the features (the code
normalises across the prototypes). Their start is not the code's noise, of which 0.999 per image
leaves most on a small data set, but k-means++ on sampled pixels.
"""

import numpy as np

from stages.box_supervision.semantic_map import is_filled, unit_vectors

EPSILON, ITERATIONS, GAMMA = 0.05, 3, 0.999  # public code, public code, paper
TIE = 1e-11  # of logarithms: shares closer than that are alike, and rounding must not decide
SAME = 1e-6  # 1 - cosine of two pixels that are one in float32


def sinkhorn(
    scores: np.ndarray, *, epsilon: float = EPSILON, iterations: int = ITERATIONS
) -> np.ndarray:
    """The share of each pixel that each prototype gets.

    Parameters
    ----------
    scores : (n, L) cosines, any finite numbers. epsilon : the smaller, the harder.
    iterations : each gives every prototype 1 / L of all, then every pixel 1 / n.

    Returns
    -------
    (n, L) float64 of 0 to 1; each row sums to 1.

    Source: SIM, Eq. 2 and 3 (`distributed_sinkhorn` of the public code, without its random end).
    """
    return np.asarray(np.exp(_log_plan(scores, epsilon, iterations)))


def _log_plan(scores: np.ndarray, epsilon: float, iterations: int) -> np.ndarray:
    plan = scores.astype(np.float64) / epsilon
    for _ in range(iterations if len(scores) else 0):
        plan = plan - _log_sum(plan, axis=0)
        plan = plan - _log_sum(plan, axis=1)  # last: rows are exact
    return plan


def _log_sum(values: np.ndarray, axis: int) -> np.ndarray:
    top = values.max(axis=axis, keepdims=True)
    return np.asarray(top + np.log(np.exp(values - top).sum(axis=axis, keepdims=True)))


def assigned(
    scores: np.ndarray, *, epsilon: float = EPSILON, iterations: int = ITERATIONS
) -> np.ndarray:
    """(n,) int, the prototype of each pixel: the largest share of its row of the plan.

    Of equal shares, as those of a pixel alone, the prototype with the highest score.

    Source: SIM, Eq. 3.
    """
    plan = _log_plan(scores, epsilon, iterations)
    is_best = plan >= plan.max(axis=1, keepdims=True, initial=-np.inf) - TIE
    return np.asarray(np.where(is_best, scores, -np.inf).argmax(axis=1))


def pixel_sums(
    features: np.ndarray, assignment: np.ndarray, length: int
) -> tuple[np.ndarray, np.ndarray]:
    """(length, D) float64 sum of the features of each prototype's pixels, and (length,) how many.

    Parameters
    ----------
    features : (n, D) of length 1. assignment : (n,) int of `assigned`. length : L.
    """
    sums = np.zeros((length, features.shape[1]))
    np.add.at(sums, assignment, features)
    return sums, np.bincount(assignment, minlength=length)


def image_sums(
    features: np.ndarray, prototypes: np.ndarray, *, epsilon: float, iterations: int
) -> tuple[np.ndarray, np.ndarray]:
    """What an image's pixels of a class say of its prototypes: `pixel_sums` of their assignment.

    Parameters
    ----------
    features : (n, D) of length 1. prototypes : (L, D); one that is 0 gets no pixel.

    Returns
    -------
    (L, D) sums and (L,) counts; all 0 where no prototype was ever found.
    """
    places = np.flatnonzero(is_filled(prototypes))
    if not len(places) or not len(features):
        return np.zeros(prototypes.shape), np.zeros(len(prototypes), dtype=np.int64)
    scores = features @ prototypes[places].T  # (n, known)
    own = assigned(scores, epsilon=epsilon, iterations=iterations)
    return pixel_sums(features, places[own], len(prototypes))


def moved(
    prototypes: np.ndarray, sums: np.ndarray, counts: np.ndarray, *, gamma: float = GAMMA
) -> np.ndarray:
    """Prototypes after one image.

    Parameters
    ----------
    prototypes : (L, D) of length 1. sums, counts : of `pixel_sums`; a sum points to the centroid.
    gamma : how much of the old stays, 0 to 1.

    Returns
    -------
    (L, D) of length 1; as they were those without pixels, or whose pixels cancel each other.

    Source: SIM, Eq. 4 and 5; the centroid has length 1 before it is mixed in, as in the public
    code (the paper does not say).
    """
    centroids = unit_vectors(sums.astype(np.float64))
    fresh = unit_vectors(gamma * prototypes + (1 - gamma) * centroids)
    moves = (counts > 0) & is_filled(fresh)
    return np.where(moves[:, None], fresh, prototypes)


def averaged(prototypes: np.ndarray, sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Prototypes as the mean of all their pixels; those without pixels as they were.

    Parameters
    ----------
    sums, counts : of `pixel_sums`, added up over images.
    """
    return moved(prototypes, sums, counts, gamma=0.0)


def seeded(features: np.ndarray, length: int, rng: np.random.Generator) -> np.ndarray:
    """Pixels to start from, far from each other: k-means++ by the squared distance.

    Parameters
    ----------
    features : (n, D) of length 1. length : L.

    Returns
    -------
    (L, D); rows of 0 where there are fewer different pixels.
    """
    found = np.zeros((length, features.shape[1]))
    features = features[is_filled(features)]
    if not len(features):
        return found
    found[0] = features[rng.integers(len(features))]
    for place in range(1, length):
        far = (1 - (features @ found[:place].T).max(axis=1)).clip(0)  # half of it, on the sphere
        far[far < SAME] = 0
        if not far.any():
            break
        found[place] = features[rng.choice(len(far), p=far / far.sum())]
    return found
