"""Another object beside a salient one: salient images show one object alone, boxes rarely do.

Not in the paper. A box often holds a part of its neighbours, or is hidden by one in part, which no
salient image teaches. A second salient object, cut out by its mask, is put at the side of the first
one, before or behind it; the label is what remains to be seen of the first.
"""

import cv2
import numpy as np

from stages.box_supervision.box_crops import Pair, around, longer_side

LEAST_SEEN = 0.4  # share of the object that must remain to be seen, else nothing is put there
SIZES = (0.5, 1.2)  # longer side of the second object, in those of the first
NEARNESS = (0.55, 1.0)  # distance of the centres, in sums of half sides: 1 is touching


def with_neighbour(first: Pair, second: Pair, rng: np.random.Generator) -> Pair:
    """The first image with the second one's object beside its own.

    Parameters
    ----------
    first, second : pixels and mask, each of its own size; both masks hold something.

    Returns
    -------
    Pixels and mask of the first's size, new arrays; what they were where too little would be seen.
    """
    box = around(first[1])
    pixels, shape = _resized(second, float(rng.uniform(*SIZES)) * longer_side(box))
    corner = _corner(box, shape.shape, rng)
    in_front = rng.random() < 0.5
    layer, cover = _placed(first[1].shape, pixels, shape, corner)
    covered = cover if in_front else cover & ~first[1]
    seen = first[1] & ~covered
    if seen.sum() < LEAST_SEEN * first[1].sum():
        return first
    return np.where(covered[:, :, None], layer, first[0]), seen


def _resized(pair: Pair, longest: float) -> Pair:
    """The object of a pair, cut out by its tight box, its longer side `longest` px."""
    x0, y0, x1, y1 = around(pair[1]).astype(int)
    factor = longest / max(x1 - x0, y1 - y0)
    size = max(1, round((x1 - x0) * factor)), max(1, round((y1 - y0) * factor))
    pixels = cv2.resize(pair[0][y0:y1, x0:x1], size, interpolation=cv2.INTER_AREA)
    mask = pair[1][y0:y1, x0:x1].astype(np.uint8)
    return pixels, cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST_EXACT) > 0


def _corner(box: np.ndarray, shape: tuple[int, ...], rng: np.random.Generator) -> tuple[int, int]:
    """Upper left corner x, y px of what is put at a random side of a box."""
    halves = (box[2:] - box[:2]) / 2
    mine = np.array([shape[1], shape[0]]) / 2
    away = rng.uniform(-1, 1, 2) * halves
    axis = int(rng.integers(2))
    sign = 1 if rng.random() < 0.5 else -1
    away[axis] = sign * rng.uniform(*NEARNESS) * (halves[axis] + mine[axis])
    x, y = np.round((box[:2] + box[2:]) / 2 + away - mine).astype(int).tolist()
    return x, y


def _placed(
    size: tuple[int, ...], pixels: np.ndarray, mask: np.ndarray, corner: tuple[int, int]
) -> Pair:
    """An object on an empty image of (height, width) `size`, cut at its border."""
    layer, cover = np.zeros((*size, 3), dtype=np.uint8), np.zeros(size, dtype=bool)
    x, y = corner
    x0, y0 = max(x, 0), max(y, 0)
    x1, y1 = min(x + mask.shape[1], size[1]), min(y + mask.shape[0], size[0])
    if x0 < x1 and y0 < y1:
        part = slice(y0 - y, y1 - y), slice(x0 - x, x1 - x)
        layer[y0:y1, x0:x1], cover[y0:y1, x0:x1] = pixels[part], mask[part]
    return layer, cover
