"""Which part of an image a box shows the network: moved and scaled at random, or the box itself.

BoxCaseg (CVPR 2021), as its code has it: the centre moves by up to a quarter of half a side, each
side becomes 0.5 to 1.5 times as long. A crop smaller than the box is normal; all its lines are
positive. Where we depart: boxes are half-open, so a crop may reach the last row and column (the
code stops one before), and a box that is asked about covers every pixel that it touches (the code
truncates its corner and its sides).
"""

from dataclasses import dataclass

import numpy as np

Crop = tuple[int, int, int, int]  # half-open xyxy px, never empty
Pair = tuple[np.ndarray, np.ndarray]  # (h, w, 3) uint8 pixels, (h, w) bool mask


@dataclass(frozen=True, slots=True)
class Draw:
    """How a crop differs from its box, in x and in y.

    shift : of the centre, in half sides. scale : of the sides.
    """

    shift: tuple[float, float] = (0.0, 0.0)
    scale: tuple[float, float] = (1.0, 1.0)


def draw_of(rng: np.random.Generator, *, shift: float = 0.25, scale: float = 0.5) -> Draw:
    """A random one: the centre moves by up to `shift`, sides change by up to `scale` of theirs."""
    moved = rng.uniform(-shift, shift, 2).tolist()
    scaled = rng.uniform(1 - scale, 1 + scale, 2).tolist()
    return Draw((moved[0], moved[1]), (scaled[0], scaled[1]))


def moved_crop(box: np.ndarray, height: int, width: int, draw: Draw) -> Crop:
    """The crop that a draw makes of a box, cut at the image border.

    Parameters
    ----------
    box : (4,) xyxy px, half-open. height, width : of the image, px.

    Returns
    -------
    Whole px, truncated; one without area is widened by a pixel, as the code for COCO does.

    Source: BoxCaseg, public code (`bbox_broaden`).
    """
    x0, x1 = _moved(box[0], box[2], width, draw.shift[0], draw.scale[0])
    y0, y1 = _moved(box[1], box[3], height, draw.shift[1], draw.scale[1])
    return x0, y0, x1, y1


def _moved(low: float, high: float, limit: int, shift: float, scale: float) -> tuple[int, int]:
    half = (float(high) - float(low)) / 2
    centre = float(low) + half * (1 + shift)
    first, last = (int(min(max(centre + sign * half * scale, 0), limit)) for sign in (-1, 1))
    if first < last:
        return first, last
    return (first - 1, first) if first > 0 else (0, 1)


def covering_crop(box: np.ndarray, height: int, width: int, *, margin: float = 1.0) -> Crop:
    """All pixels that a box touches, `margin` times as wide and high, cut at the image border.

    Parameters
    ----------
    box : (4,) xyxy px, half-open; one beside the image gets the pixel next to it.
    margin : 1: the box itself, as BoxCaseg asks.
    """
    x0, x1 = _covering(box[0], box[2], width, margin)
    y0, y1 = _covering(box[1], box[3], height, margin)
    return x0, y0, x1, y1


def _covering(low: float, high: float, limit: int, margin: float) -> tuple[int, int]:
    centre, half = (float(low) + float(high)) / 2, (float(high) - float(low)) / 2
    reach = half * margin
    first = min(max(int(np.floor(centre - reach)), 0), limit - 1)
    return first, min(max(int(np.ceil(centre + reach)), first + 1), limit)


def box_in_crop(box: np.ndarray, crop: Crop, side: int) -> np.ndarray:
    """The box as a mask of a crop that is resized to a square.

    Parameters
    ----------
    box : (4,) xyxy px of the image. side : px of the resized crop.

    Returns
    -------
    (side, side) bool: pixels whose centres lie in the box.
    """
    columns = crop[0] + (np.arange(side) + 0.5) * (crop[2] - crop[0]) / side
    rows = crop[1] + (np.arange(side) + 0.5) * (crop[3] - crop[1]) / side
    across = (columns >= box[0]) & (columns < box[2])
    down = (rows >= box[1]) & (rows < box[3])
    return np.asarray(down[:, None] & across[None, :])


def around(mask: np.ndarray) -> np.ndarray:
    """(4,) xyxy px, the tight box of an (h, w) bool mask; the whole where no pixel is set."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return np.array([0, 0, mask.shape[1], mask.shape[0]], dtype=np.float64)
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], dtype=np.float64)


def longer_side(box: np.ndarray) -> float:
    """Px of a (4,) xyxy box."""
    return float((box[2:] - box[:2]).max())
