"""Copy-paste: which objects of an image are pasted, and what is left under them.

SIM (Li et al., CVPR 2023), Sec. 3.3: same position, no blur, no scaling; cut at the border. How
many, and by which chance, is the authors' code's, but without replacement.
"""

from collections.abc import Sequence

import numpy as np

from stages.geometry.boxes import touched_pixels


def pastable(
    weights: np.ndarray,
    scores: np.ndarray,
    areas: np.ndarray,
    *,
    power: float,
    min_score: float = 0.0,
) -> np.ndarray:
    """Which objects may be pasted, (n,) bool: trusted, with a pixel, and with a chance.

    Parameters
    ----------
    weights : (n,) of masks. scores : (n,) in [0, 1]. areas : (n,) of masks, px^2.
    power : as of `paste_chances`. min_score : the least that may be pasted.
    """
    sure = (scores >= min_score) & (scores**power > 0)
    return np.asarray(sure & (weights > 0) & (areas > 0))


def paste_number(objects: int, *, share: float, most: int) -> int:
    """How many of a source's objects are pasted: a share of them, `most` at most, at least 1."""
    return min(max(int(share * objects), 1), most)


def paste_chances(scores: np.ndarray, power: float) -> np.ndarray:
    """Chance of each object to be drawn first, (n,), sum 1; one score at least is above 0."""
    weights = scores**power
    return np.asarray(weights / weights.sum())


def drawn(
    scores: np.ndarray, rng: np.random.Generator, *, share: float, most: int, power: float
) -> np.ndarray:
    """Which objects of a source are pasted: numbers in order, without replacement.

    Parameters
    ----------
    scores : (n,) of those that are `pastable`, n at least 1.
    """
    number = paste_number(len(scores), share=share, most=most)
    chances = paste_chances(scores, power)
    return np.sort(rng.choice(len(scores), number, replace=False, p=chances))


def hulls(masks: np.ndarray) -> np.ndarray:
    """Smallest box about each mask, (n, h, w) to (n, 4) float32 xyxy px; 0 for an empty mask."""
    lines = [masks.max(axis=1, initial=0), masks.max(axis=2, initial=0)]  # columns, rows
    first = [line.argmax(axis=1) for line in lines]
    last = [line.shape[1] - line[:, ::-1].argmax(axis=1) for line in lines]
    boxes = np.stack([*first, *last], axis=1).astype(np.float32)
    return np.asarray(boxes * lines[0].max(axis=1, initial=0)[:, None])


def fitted(array: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """(..., h, w) cut, or filled up with 0, at the right and below to (..., *size)."""
    height, width = size
    cut = array[..., :height, :width]
    fill = ((0, height - cut.shape[-2]), (0, width - cut.shape[-1]))
    return np.pad(cut, ((0, 0),) * (array.ndim - 2) + fill)


def tightened(boxes: np.ndarray, cover: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The smallest boxes about what is left of boxes, and which of them have something left.

    Parameters
    ----------
    boxes : (n, 4) xyxy px, each of which touches the image. cover : (h, w) bool, what is pasted.

    Returns
    -------
    (n, 4), a side that lost no whole line of pixels where it was; (n,) bool, False for a box that
    is covered wholly.

    Source: SIM, Sec. 3.3; public code for boxes in the place of masks that nobody has given.
    """
    found = [_tightened(box, cover) for box in boxes]
    kept = np.array([box is not None for box in found], dtype=bool)
    left = [old if box is None else box for box, old in zip(found, boxes, strict=True)]
    return np.array(left, dtype=boxes.dtype).reshape(-1, 4), kept


def _tightened(box: np.ndarray, cover: np.ndarray) -> np.ndarray | None:
    rows, columns = touched_pixels(box, *cover.shape)
    rest = ~cover[rows, columns]
    if not rest.any():
        return None
    hull = hulls(rest[None])[0] + np.array([columns.start, rows.start] * 2)
    return np.concatenate([np.maximum(hull[:2], box[:2]), np.minimum(hull[2:], box[2:])])
