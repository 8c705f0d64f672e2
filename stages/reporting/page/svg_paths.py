"""Masks as outlines over a picture: paths as SVG has them, in the px of what is shown."""

from collections.abc import Sequence

import cv2
import numpy as np

Window = tuple[int, int, int, int]
COARSE = 0.6  # px by which a path may leave the outline


def picture_size(window: Window, side: int) -> tuple[int, int]:
    """Width and height in px of a window's picture: its longer side is `side`, or its own if less.

    Parameters
    ----------
    window : x0, y0, x1, y1 px of the photograph, not empty.
    """
    width, height = window[2] - window[0], window[3] - window[1]
    scale = side / max(width, height)
    return max(round(width * scale), 1), max(round(height * scale), 1)


def path_of(mask: np.ndarray, window: Window, size: tuple[int, int]) -> str:
    """The outline of what a mask has in a window, with its holes; "" where that is nothing.

    Parameters
    ----------
    mask : (height, width) of the photograph, all but 0 is the object.
    size : width and height of the picture, px.

    Returns
    -------
    Path data of SVG, to be filled by rule `evenodd`.
    """
    x0, y0, x1, y1 = window
    part = (mask[y0:y1, x0:x1] > 0).astype(np.float32)
    if not part.any():
        return ""
    shown = (cv2.resize(part, size, interpolation=cv2.INTER_LINEAR) >= 0.5).astype(np.uint8)
    rings, _ = cv2.findContours(shown, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    return "".join(_ring(cv2.approxPolyDP(ring, COARSE, True)) for ring in rings)


def _ring(points: np.ndarray) -> str:
    """A closed ring through the middles of px, which lie half a px within."""
    pairs = points.reshape(-1, 2).tolist()
    return "M" + "L".join(f"{x + 0.5:g} {y + 0.5:g}" for x, y in pairs) + "Z"


def shown_points(
    points: Sequence[Sequence[float]], window: Window, size: tuple[int, int]
) -> list[list[float]]:
    """Points of the photograph in the px of the picture, to a tenth."""
    x0, y0, x1, y1 = window
    across, down = size[0] / (x1 - x0), size[1] / (y1 - y0)
    return [[round((x - x0) * across, 1), round((y - y0) * down, 1)] for x, y in points]
