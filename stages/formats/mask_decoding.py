"""From the forms in which tools write masks down to COCO run-length codes of the whole image."""

import base64
import binascii
import io
from typing import Any

import numpy as np
from PIL import Image

from stages.formats.brush import alpha_of
from stages.formats.mask_forms import BrushRuns, IndexedPng, PngPatch, RowRuns
from stages.geometry.masks import Rle, masks_to_rles, segmentation_to_rle
from stages.photographs.reading import DECODE_ERRORS

MAX_PIXELS = 300_000_000  # px of a mask's picture


def decoded_mask(mask: Any, height: int, width: int) -> Rle:
    """The COCO code of a mask of any form.

    Parameters
    ----------
    mask : COCO polygons or RLE, or one of `stages.formats.mask_forms`.
    height, width : px, of the image.

    Raises
    ------
    ValueError : it cannot be decoded, or does not fit its image; the end of a sentence.
    """
    for form, decode in FORMS.items():
        if isinstance(mask, form):
            pixels = decode(mask, height, width)  # (height, width) bool
            return masks_to_rles(pixels[None])[0]
    return segmentation_to_rle(mask, height, width)


def _of_runs(mask: RowRuns, height: int, width: int) -> np.ndarray:
    if min(mask.runs, default=0) < 0 or sum(mask.runs) != mask.width * mask.height:
        raise ValueError(
            f"its runs cover {sum(mask.runs)} px, not the {mask.width} x {mask.height} px that "
            "they are of."
        )
    if mask.width * mask.height > height * width:
        raise ValueError(f"its part of {mask.width} x {mask.height} px is larger than the image.")
    values = np.arange(len(mask.runs)) % 2 == 1
    part = np.repeat(values, mask.runs).reshape(mask.height, mask.width)
    return _placed(part, mask.x, mask.y, height, width)


def _of_patch(mask: PngPatch, height: int, width: int) -> np.ndarray:
    try:
        data = base64.b64decode(mask.data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"its picture is no base64 text ({error}).") from None
    part = _picture(io.BytesIO(data), "its picture")
    if part.shape[0] * part.shape[1] > height * width:
        raise ValueError(f"its picture of {part.shape[1]} x {part.shape[0]} px is larger than the "
                         "image.")  # fmt: skip
    return _placed(part != 0, mask.x, mask.y, height, width)


def _of_index(mask: IndexedPng, height: int, width: int) -> np.ndarray:
    pixels = _picture(mask.path, f"the picture {mask.path}")
    if pixels.shape != (height, width):
        raise ValueError(
            f"the picture {mask.path} is of {pixels.shape[1]} x {pixels.shape[0]} px, the image of "
            f"{width} x {height} px."
        )
    return np.asarray(pixels == mask.value)


def _of_brush(mask: BrushRuns, height: int, width: int) -> np.ndarray:
    if (mask.height, mask.width) != (height, width):
        raise ValueError(
            f"it is of {mask.width} x {mask.height} px, the image of {width} x {height} px."
        )
    return np.asarray(alpha_of(mask.codes, height, width) > 0)


def _picture(source: Any, name: str) -> np.ndarray:
    """Values of a picture with one channel, or the first of several, (h, w)."""
    try:
        with Image.open(source) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ValueError(f"{name} of {image.width} x {image.height} px is too large.")
            values = np.asarray(image)
    except DECODE_ERRORS as error:
        raise ValueError(f"{name} cannot be decoded ({error}).") from None
    return values if values.ndim == 2 else values[..., 0]


def _placed(part: np.ndarray, x: int, y: int, height: int, width: int) -> np.ndarray:
    """A part of the image in its place, cut at the border, (height, width) bool."""
    whole = np.zeros((height, width), dtype=bool)
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + part.shape[1], width), min(y + part.shape[0], height)
    if left < right and top < bottom:
        whole[top:bottom, left:right] = part[top - y : bottom - y, left - x : right - x]
    return whole


FORMS: dict[type, Any] = {
    RowRuns: _of_runs,
    PngPatch: _of_patch,
    IndexedPng: _of_index,
    BrushRuns: _of_brush,
}
