"""Photographs of more than 8 bits: which of their values become black and white.

Microscopes, thermal and X-ray cameras write 12 bits into 16, or temperatures into floats; read as
if they filled their type they are black.
"""

from typing import Any, Literal

import cv2
import numpy as np
from PIL import Image

Depth = Literal["auto", 8, 12, 16, "minmax"]
Range = tuple[float, float]
WHITE: dict[Any, float] = {8: 255.0, 12: 4095.0, 16: 65535.0}
LARGEST_SAMPLE = 281  # TIFF's tag MaxSampleValue


def is_deep(image: Image.Image) -> bool:
    """Whether an open photograph has more than 8 bits: gray, or colours that Pillow would cut."""
    tiles = getattr(image, "tile", ())  # how Pillow is going to read the pixels
    return image.mode.startswith(("I", "F")) or ";16" in str([tile[3] for tile in tiles])


def deep_values(image: Image.Image, data: bytes) -> np.ndarray:
    """The values of an open photograph of more than 8 bits, (h, w), or (h, w, 3) RGB.

    Parameters
    ----------
    data : the file. Pillow keeps the upper 8 of 16 bits of a colour, so OpenCV reads those.
    """
    if image.mode.startswith(("I", "F")):
        return np.asarray(image)
    flags = cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION
    found = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), flags)
    if found is None:
        raise ValueError("its 16 bits a colour cannot be read")
    return np.asarray(found if found.ndim == 2 else found[..., 2::-1])


def range_of(values: np.ndarray, depth: Depth, declared: float | None = None) -> Range:
    """The values that become 0 and 255.

    Parameters
    ----------
    values : of any number type and shape. declared : the largest value, where the file says it.
    depth : bits that the values fill; minmax: least and largest value; auto: 8 bits where the
        largest value says so, else the declared range, else least and largest.
    """
    if depth in WHITE:
        return 0.0, WHITE[depth]
    seen = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    low, high = (float(seen.min()), float(seen.max())) if seen.size else (0.0, 0.0)
    if depth == "auto" and values.dtype.kind in "iu" and low >= 0 and 128 <= high <= 255:
        return 0.0, 255.0
    if depth == "auto" and declared and low >= 0 and high <= declared:
        return 0.0, declared
    return low, high if high > low else low + 1


def declared_white(image: Image.Image) -> float | None:
    """The largest value that a TIFF file says its samples have."""
    tags = getattr(image, "tag_v2", {})
    try:
        value = float(np.max(tags.get(LARGEST_SAMPLE, 0)))
    except (TypeError, ValueError):
        return None
    return value if 255 < value < 2**32 else None


def to_bytes(values: np.ndarray, limits: Range) -> np.ndarray:
    """Values of any number type and shape to uint8; what is no number becomes black."""
    low, high = limits
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = (values.astype(np.float64) - low) / (high - low) * 255.0
    return np.clip(np.round(np.nan_to_num(scaled, nan=0.0)), 0, 255).astype(np.uint8)
