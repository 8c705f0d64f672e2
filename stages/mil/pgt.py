"""Pseudo ground truth of the tags of an image: which of a class's detections are its objects.

WeakSAM, Sec. 3.4 and Alg. 2, read in two phases. By the letter (a detection goes when any other
covers it) both of two near duplicates go, and one detection, or several of equal scores, lose their
class at the division by zero; so near duplicates are settled first, and equal scores all count. The
class filter, which Alg. 2 leaves out and the public code has, is the caller's: one class at a time.
"""

import numpy as np

from stages.geometry.boxes import box_area

LEAST_SPREAD = 1e-12  # of scores; below it they are equal
LEAST_AREA = 1e-6  # px^2, under a ratio


def normalised_scores(scores: np.ndarray, *, norm: str) -> np.ndarray:
    """Scores of one class of an image, 0 to 1: the best has 1, equal ones all have it.

    Parameters
    ----------
    scores : (n,) finite. norm : minmax, the paper's, which needs the whole tail of low scores
        (where it was cut off, the least of the good ones gets 0); max: share of the best one.
    """
    if not len(scores):
        return np.zeros(0)
    low, high = float(scores.min()), float(scores.max())
    if high - low <= LEAST_SPREAD:
        return np.ones(len(scores))
    low = low if norm == "minmax" else 0.0
    return np.asarray((scores - low) / (high - low))


def containment(boxes: np.ndarray) -> np.ndarray:
    """Share of each box that each other covers: (n, 4) xyxy px to (n, n), rows the covered ones."""
    upper = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    lower = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    inner = np.prod(np.clip(upper - lower, 0, None), axis=-1)
    return np.asarray(inner / np.maximum(box_area(boxes), LEAST_AREA)[:, None])


def adaptive_pgt(
    boxes: np.ndarray, normalised: np.ndarray, *, score: float, overlap: float
) -> np.ndarray:
    """Numbers of the detections of one class that become pseudo ground truth.

    Parameters
    ----------
    boxes : (n, 4) xyxy px. normalised : (n,) from `normalised_scores`.
    score : tau_s; those above it are candidates, the best one always. overlap : tau_o; a candidate
        goes when another covers so much of it.

    Returns
    -------
    (k,) int64, rising; k is at least 1 where n is.

    Source: WeakSAM, Alg. 2; two phases as the module says.
    """
    if not len(boxes):
        return np.zeros(0, dtype=np.int64)
    is_candidate = (normalised > score) | (normalised == normalised.max())
    order = np.lexsort((np.arange(len(boxes)), -normalised))
    cover = containment(boxes)
    kept = _without_duplicates([int(i) for i in order if is_candidate[i]], cover, overlap)
    whole = [i for i in kept if not any(cover[i, k] >= overlap for k in kept if k != i)]
    return np.array(sorted(whole), dtype=np.int64)


def _without_duplicates(order: list[int], cover: np.ndarray, overlap: float) -> list[int]:
    """Of detections that cover each other the better one; `order`: by falling score."""
    kept: list[int] = []
    for i in order:
        if not any(min(cover[i, k], cover[k, i]) >= overlap for k in kept):
            kept.append(i)
    return kept


def top1_pgt(scores: np.ndarray) -> np.ndarray:
    """Number of the best detection of one class, the first of equal ones: (1,), or (0,) for none.

    Source: WeakSAM, Table 5, the baseline.
    """
    return np.array([int(scores.argmax())] if len(scores) else [], dtype=np.int64)
