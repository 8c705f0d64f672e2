"""Where in an image a class seems to be: how close each cell's features are to its prototypes.

SIM (CVPR 2023), Eq. 1. In come mask features of an image and the prototypes of a class,
out goes the probability of the class. Features and prototypes are compared by their cosine, so both
have length 1. The released code normalises prototypes along the wrong axis and leaves tau out; we
follow the paper. The features' cells are larger than pixels: similarities are interpolated, and
become probabilities then, as the logits of a mask do.
"""

import numpy as np

TAU = 0.1  # Eq. 1; a cosine above 0.085 becomes more than 0.7
SHORTEST = 1e-12  # length below which a vector has no direction


def unit_vectors(vectors: np.ndarray) -> np.ndarray:
    """(..., D) vectors at length 1; one without a direction becomes 0."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.where(lengths > SHORTEST, vectors / np.maximum(lengths, SHORTEST), 0)


def is_filled(prototypes: np.ndarray) -> np.ndarray:
    """(L,) bool: which of (L, D) prototypes pixels were found for; the others are 0."""
    return np.asarray((prototypes != 0).any(axis=-1))


def similarity(features: np.ndarray, prototypes: np.ndarray) -> np.ndarray:
    """Largest cosine of each vector with the prototypes of a class.

    Parameters
    ----------
    features : (..., D) of length 1. prototypes : (L, D) of length 1 or 0, one of them not 0.

    Returns
    -------
    (...) of -1 to 1.

    Raises
    ------
    ValueError : no pixel was found for any prototype.
    """
    known = prototypes[is_filled(prototypes)]
    if not len(known):
        raise ValueError("a class without prototypes is similar to nothing.")
    return np.asarray((features @ known.T).max(axis=-1))


def semantic_probability(similarities: np.ndarray, *, tau: float = TAU) -> np.ndarray:
    """M_S, the probability of the class, 0 to 1, of cosines of any shape.

    Source: SIM, Eq. 1; tau 1 is what the released code does.
    """
    return np.asarray((1 + np.tanh(similarities / (2 * tau))) / 2)  # of no tau an overflow


def enlarged(grid: np.ndarray, stride: float, rows: slice, columns: slice) -> np.ndarray:
    """Values of cells, interpolated at the pixels of a part of the image.

    Parameters
    ----------
    grid : (h, w), the cells; the centre of the first one lies at half a stride.
    stride : px of the image per cell. rows, columns : of the part, px.

    Returns
    -------
    (height, width) of the part; beyond the centres of the outermost cells their own values.
    """
    above, below, down = _between(rows, stride, grid.shape[0])
    left, right, across = _between(columns, stride, grid.shape[1])
    upper = grid[above][:, left] * (1 - across) + grid[above][:, right] * across
    lower = grid[below][:, left] * (1 - across) + grid[below][:, right] * across
    return np.asarray(upper * (1 - down[:, None]) + lower * down[:, None])


def _between(part: slice, stride: float, length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The two cells about each pixel of a line, and the share of the second one."""
    places = (np.arange(part.start, part.stop) + 0.5) / stride - 0.5
    places = places.clip(0, length - 1)
    first = np.floor(places).astype(int)
    share = (places - first).astype(np.float32)
    return first, np.minimum(first + 1, length - 1), share


def cell_centres(size: int, stride: float) -> np.ndarray:
    """(size,) int px, the pixel at the centre of each cell of a line."""
    return np.asarray(((np.arange(size) + 0.5) * stride).astype(int))
