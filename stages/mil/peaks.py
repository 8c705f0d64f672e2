"""Points to ask about: the peaks of maps, and the centres of clusters of such points.

WeakSAM, Sec. 3.2, Algorithm 1. Departures: kernels are odd, since an even one gives a map one pixel
smaller (the paper's 128 is 129); a flat map has no peak, where the released code finds its corners;
an image without points gives none, where the released code asks about (100, 100).
"""

import warnings
from collections.abc import Iterable
from typing import Literal, NamedTuple

import numpy as np
from scipy.cluster.vq import kmeans2
from scipy.ndimage import maximum_filter

Rule = Literal["paper", "code"]
ITERATIONS = 100  # of k-means; points of one image settle in far fewer


class Peak(NamedTuple):
    """A pixel of a map. x, y : its column and row. value : of the map there."""

    x: int
    y: int
    value: float


def peak_points(
    maps: Iterable[np.ndarray],
    *,
    kernel: int,
    threshold: float = 0.9,
    most: int = 25,
    distance: Rule = "paper",
) -> list[list[Peak]]:
    """Peaks of each map, highest first, those of one height from the upper left to the lower right.

    Parameters
    ----------
    maps : (height, width) float in [0, 1] each, normalised; taken one after the other.
    kernel : px, odd; a peak is the highest in a window of this side about it.
    threshold : tau; lower peaks do not count. most : of how many highest candidates of a map.
    distance : within which the lower of two peaks is dropped. paper: L2 <= kernel / 2; code:
        L1 < (kernel - 1) // 2, as the released code has it.

    Raises
    ------
    ValueError : the kernel is even.

    Source: Algorithm 1; kernel 17 for class maps and 129 for cross-attention, at most 25
    candidates, as in the released code.
    """
    if kernel % 2 == 0:
        raise ValueError(
            f"peaks: a kernel of {kernel} px, but an even one has no middle. Set {kernel + 1}."
        )
    return [_peaks(m, kernel, threshold, most, distance) for m in maps]


def _peaks(m: np.ndarray, kernel: int, threshold: float, most: int, rule: Rule) -> list[Peak]:
    if not m.size or m.max() == m.min():
        return []
    highest = maximum_filter(m, size=kernel, mode="constant", cval=-np.inf)
    places = np.flatnonzero((m == highest) & (m > 0))  # in raster order
    values = m.ravel()[places]
    order = np.argsort(-values, kind="stable")[:most]
    rows, columns = np.divmod(places[order], m.shape[1])
    kept: list[Peak] = []
    for x, y, value in zip(columns.tolist(), rows.tolist(), values[order].tolist(), strict=True):
        if value >= threshold and not any(_is_near(x - p.x, y - p.y, kernel, rule) for p in kept):
            kept.append(Peak(x, y, value))
    return kept


def _is_near(dx: int, dy: int, kernel: int, rule: Rule) -> bool:
    if rule == "paper":
        return 4 * (dx * dx + dy * dy) <= kernel * kernel
    return abs(dx) + abs(dy) < (kernel - 1) // 2


class Clusters(NamedTuple):
    """Centres of clusters of points.

    centres : (k, 2) int x, y px, by row and then column, each once.
    members : (n,) int, for each point the centre that stands for it.
    """

    centres: np.ndarray
    members: np.ndarray


def clustered(points: np.ndarray, *, per_cluster: int, rng: np.random.Generator) -> Clusters:
    """Few points in place of many: the centres of n // per_cluster clusters, at least one.

    Parameters
    ----------
    points : (n, 2) int x, y px. rng : decides where the clusters start.

    Returns
    -------
    Centres cut to whole numbers; the distinct points themselves where these are fewer than the
    clusters would be; nothing for no points.

    Source: WeakSAM, Sec. 3.2, with k-means as in the released code (scikit-learn's there, scipy's
    here: clusters that lie apart are the same).
    """
    if not len(points):
        return Clusters(np.zeros((0, 2), dtype=int), np.zeros(0, dtype=int))
    count = max(1, len(points) // per_cluster)
    if len(np.unique(points, axis=0)) < count:
        return _distinct(points)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a cluster that has lost its points: it is left out
        found, labels = kmeans2(points.astype(float), count, iter=ITERATIONS, minit="++", rng=rng)
    return _distinct(found[labels].astype(int))


def _distinct(standing: np.ndarray) -> Clusters:
    """Clusters of points that are told where they stand: (n, 2) x, y."""
    by_row, members = np.unique(standing[:, ::-1], axis=0, return_inverse=True)
    return Clusters(by_row[:, ::-1], members.reshape(-1))
