"""From the forms in which tools write masks down to COCO run-length codes of the whole image."""

import base64
import binascii
import io
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from stages.formats.brush import alpha_of
from stages.formats.mask_forms import BrushRuns, IndexedPng, PngPatch, RowRuns
from stages.geometry.masks import Rle, masks_to_rles, segmentation_to_rle
from stages.photographs.reading import DECODE_ERRORS


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

    (rows, columns), values = _picture(
        io.BytesIO(data), "its picture", lambda rows, columns: rows * columns <= height * width
    )
    if values is None:
        raise ValueError(f"its picture of {columns} x {rows} px is larger than the image.")
    part = values if values.ndim == 2 else values[..., 0]
    return _placed(part != 0, mask.x, mask.y, height, width)


def _of_index(mask: IndexedPng, height: int, width: int) -> np.ndarray:
    name = f"the picture {mask.path}"
    size, values = _picture(mask.path, name, lambda *size: size == (height, width))
    if values is None:
        raise ValueError(
            f"{name} is of {size[1]} x {size[0]} px, the image of {width} x {height} px."
        )
    if values.ndim != 2:
        raise ValueError(f"{name} has colours, not numbers of objects as a palette or gray has.")
    return np.asarray(values == mask.value)


def _of_brush(mask: BrushRuns, height: int, width: int) -> np.ndarray:
    if (mask.height, mask.width) != (height, width):
        raise ValueError(
            f"it is of {mask.width} x {mask.height} px, the image of {width} x {height} px."
        )
    return np.asarray(alpha_of(mask.codes, height, width) > 0)


def _picture(
    source: Any, name: str, fits: Callable[[int, int], bool]
) -> tuple[tuple[int, int], np.ndarray | None]:
    """Size of a PNG, (height, width) px, and its values, (h, w) or (h, w, channels).

    Parameters
    ----------
    fits : of height and width; where it says no, the values are None, and nothing was decoded,
        since a small file may hold a huge picture.
    """
    try:
        with Image.open(source, formats=["PNG"]) as image:
            size = image.height, image.width
            return size, np.asarray(image) if fits(*size) else None
    except DECODE_ERRORS as error:
        raise ValueError(f"{name} cannot be decoded ({error}).") from None


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
