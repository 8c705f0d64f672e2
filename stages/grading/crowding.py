"""How a mask stands among the other labels of its image. Pure."""

from collections.abc import Mapping, Sequence

import numpy as np

from stages.geometry.masks import Rle, rle_areas, rle_cover, rle_iou, rles_to_masks

CROWDING = {  # name: what it means where it speaks against a label
    "others_inside": "it holds the point of another object of its class",
    "strangers_inside": "it holds the point of an object of another class",
    "overlap": "it overlaps another label",
    "covered": "it lies within another label",
    "covers": "it holds another label",
}
MOST = 3.0  # points of others


def crowding(
    rles: Sequence[Rle],
    classes: Sequence[int],
    own: Sequence[int | None],
    points: Mapping[int, tuple[int, np.ndarray]],
) -> np.ndarray:
    """How each mask of an image stands among the others.

    Parameters
    ----------
    rles, classes : (n,). own : (n,) key of the mask's own entry of `points`, or None.
    points : class and (m, 2) xy px of each object that has points.

    Returns
    -------
    (n, e) float64, as CROWDING; the first two are NaN where the image has no points.
    """
    found = np.zeros((len(rles), len(CROWDING)))
    found[:, 2] = _most(rle_iou(rles, rles))
    cover = rle_cover(rles, rles)  # share of each first mask that each second one covers
    found[:, 3], found[:, 4] = _most(cover), _most(cover.T)
    areas = rle_areas(rles)
    for row, rle, category, key, area in zip(found, rles, classes, own, areas, strict=True):
        row[:2] = _points_inside(rle, category, key, points) if area and points else np.nan
    return found


def _most(shares: np.ndarray) -> np.ndarray:
    """(n,) the largest of each row, that of the mask with itself apart; 0 without others."""
    shares = shares.copy()
    np.fill_diagonal(shares, 0.0)
    return np.asarray(shares.max(axis=1, initial=0.0))


def _points_inside(
    rle: Rle, category: int, own: int | None, points: Mapping[int, tuple[int, np.ndarray]]
) -> np.ndarray:
    """(2,) how many other objects of the class, and of other classes, have their first point in."""
    others = [entry for key, entry in points.items() if key != own]
    if not others:
        return np.zeros(2)
    mask = rles_to_masks([rle])[0]
    hit = is_inside(mask, np.array([xy[0] for _, xy in others]))
    same = np.array([other == category for other, _ in others])
    return np.minimum([(hit & same).sum(), (hit & ~same).sum()], MOST).astype(float)


def is_inside(mask: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(n,) bool: the point lies on a pixel of the mask.

    Parameters
    ----------
    mask : (height, width), 0 or 1. points : (n, 2) xy px within the image; its far edges count.
    """
    height, width = mask.shape
    x = np.clip(points[:, 0].astype(int), 0, width - 1)
    y = np.clip(points[:, 1].astype(int), 0, height - 1)
    return np.asarray(mask[y, x] > 0)
