"""Objects or labels of one image, as arrays, and which of them belong together. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stages.geometry.masks import Rle


@dataclass(frozen=True, slots=True)
class Shapes:
    """Objects of one image, or what was found there.

    category_id : (n,) int. boxes : (n, 4) float64 xyxy px, half-open.
    rles : (n,) masks, all of the image's size; None where not all have one.
    scores : (n,) how sure each is, 0 to 1; None where nobody said.
    """

    category_id: np.ndarray
    boxes: np.ndarray
    rles: Sequence[Rle] | None = None
    scores: np.ndarray | None = None

    def __len__(self) -> int:
        """How many there are."""
        return len(self.category_id)

    def of_class(self, category_id: int) -> "Shapes":
        """Those of one class, in their order."""
        rows = np.flatnonzero(self.category_id == category_id)
        return Shapes(
            self.category_id[rows],
            self.boxes[rows],
            None if self.rles is None else [self.rles[row] for row in rows.tolist()],
            None if self.scores is None else self.scores[rows],
        )


def no_shapes() -> Shapes:
    """Nothing at all, with masks of nothing."""
    return Shapes(np.zeros(0, dtype=np.int64), np.zeros((0, 4)), [], np.zeros(0))


def greedy_pairs(overlaps: np.ndarray) -> np.ndarray:
    """One-to-one matches: the pair of the largest overlap first, then of what is left.

    Parameters
    ----------
    overlaps : (n, m) IoU, 0 to 1. Of equal ones the first by row, then by column, is taken; what
        does not overlap is matched with nothing.

    Returns
    -------
    (k, 2) int64 rows and columns, overlaps falling; k is at most min(n, m).

    Source: WeakSAM, spec section 8 (proposal recall: greedy on the global maximum).
    """
    left, pairs = np.array(overlaps, dtype=np.float64), []
    while left.size and left.max() > 0:
        row, column = divmod(int(left.argmax()), left.shape[1])
        pairs.append((row, column))
        left[row, :], left[:, column] = -1, -1
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)
