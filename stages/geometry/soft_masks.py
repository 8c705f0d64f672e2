"""Probabilities of a mask within its box, as compressed bytes: what column `soft` holds.

A byte is a probability of 0 to 1 in 255 steps, row by row, of all pixels that the box touches.
"""

import zlib

import numpy as np

from stages.geometry.boxes import touched_pixels

STEPS = 255
Part = tuple[slice, slice]  # rows and columns, px of the image


def soft_of(chances: np.ndarray, box: np.ndarray) -> bytes:
    """The bytes of (height, width) probabilities of an image within a box, (4,) xyxy px."""
    rows, columns = touched_pixels(box, *chances.shape)
    levels = np.rint(chances[rows, columns].clip(0, 1) * STEPS).astype(np.uint8)
    return zlib.compress(levels.tobytes())


def soft_in(data: bytes, box: np.ndarray, part: Part, height: int, width: int) -> np.ndarray:
    """Probabilities of a part of the image, 0 outside the box.

    Parameters
    ----------
    data : of `soft_of` with this box, (4,) xyxy px. height, width : of the image, px.

    Returns
    -------
    float32 of the part's size.

    Raises
    ------
    ValueError : the bytes are not those of the box; the end of a sentence.
    """
    rows, columns = touched_pixels(box, height, width)
    shape = rows.stop - rows.start, columns.stop - columns.start
    levels = np.frombuffer(_unpacked(data, shape[0] * shape[1]), dtype=np.uint8).reshape(shape)
    found = np.zeros((part[0].stop - part[0].start, part[1].stop - part[1].start), np.float32)
    (here_y, there_y), (here_x, there_x) = _common(rows, part[0]), _common(columns, part[1])
    found[there_y, there_x] = levels[here_y, here_x] / np.float32(STEPS)
    return found


def _unpacked(data: bytes, size: int) -> bytes:
    """So many bytes and no more: a stranger's few may unpack to gigabytes."""
    try:
        found = zlib.decompressobj().decompress(data, size + 1)
    except zlib.error as error:
        raise ValueError(f"the soft mask is damaged ({error}).") from error
    if len(found) != size:
        raise ValueError(f"the soft mask is not of the {size} px of its box.")
    return found


def _common(mine: slice, wanted: slice) -> tuple[slice, slice]:
    """What two ranges of a line share, from the start of each; empty where nothing."""
    first, last = max(mine.start, wanted.start), min(mine.stop, wanted.stop)
    last = max(first, last)
    return (
        slice(first - mine.start, last - mine.start),
        slice(first - wanted.start, last - wanted.start),
    )
