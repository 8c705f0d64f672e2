"""Annotations of pseudo-labels as rings, for the formats that hold polygons."""

from typing import Any

import numpy as np

from stages.formats.pseudo_label_file import Entry, box_of, mask_of
from stages.geometry.outlines import polygons_of

DIGITS = 2  # of coordinates in px


def rings_of(entry: Entry) -> list[np.ndarray]:
    """A ring for each fragment of the mask, (n, 2) px; none where the mask is not trusted."""
    mask = mask_of(entry)
    return [] if mask is None else polygons_of(mask)


def box_ring(entry: Entry) -> np.ndarray:
    """The box as a ring, (4, 2) px."""
    x0, y0, x1, y1 = box_of(entry)
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])


def plain(values: np.ndarray) -> list[Any]:
    """Coordinates as plain lists of numbers, rounded."""
    found: list[Any] = values.round(DIGITS).tolist()
    return found
