"""Photographs from a folder of strangers' files, always as RGB uint8 on the raw pixel grid.

EXIF orientation is ignored, since COCO boxes refer to the raw grid. Grayscale, palette, RGBA, CMYK
and 16-bit images become RGB. No path may leave the image folder.
"""

import hashlib
import io
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from stages.runtime.program import Sentence

MAX_PIXELS = 300_000_000  # px; larger files are refused before they fill the memory
DECODE_ERRORS = (OSError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError)


def image_path(folder: Path, file_name: str) -> Path:
    """Path of an image inside `folder`.

    Raises
    ------
    ValueError : the name leads outside the folder.
    """
    base = folder.resolve()
    path = (base / file_name).resolve()
    if not path.is_relative_to(base):
        raise ValueError(
            f"image name {file_name!r} leads outside the image folder {folder}. Name images by "
            "their path inside it, and put the files themselves there: links out are not followed."
        )
    return path


def read_size(path: Path) -> tuple[int, int]:
    """(height, width) from the file's header, px.

    Raises
    ------
    ValueError : missing or undecodable.
    """
    return size_of(path, path)


def size_of(source: Path | BinaryIO, path: Path) -> tuple[int, int]:
    """(height, width) px from the header of what `source` holds; `path` names it in sentences."""
    try:
        with Image.open(source) as image:
            return image.height, image.width
    except DECODE_ERRORS as error:
        raise ValueError(_sentence(path, error)) from error


def read_rgb(path: Path, *, digest: str | None = None) -> np.ndarray:
    """The image as (height, width, 3) uint8.

    Parameters
    ----------
    digest : SHA-256 that the file must have, as table `images` has it; None: any.

    Raises
    ------
    ValueError : missing, undecodable or truncated, or it is no longer the file that was prepared.
    """
    data = bytes_of(path)
    if digest is not None and digest_of(data) != digest:
        raise ValueError(
            f"image {path}: the photograph was replaced after prepare had read it. Run snakemake "
            "again, which begins with prepare."
        )
    return decoded(data, path)


def bytes_of(path: Path) -> bytes:
    """Content of a photograph's file; raises ValueError where it is missing."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(_sentence(path, error)) from error


def digest_of(data: bytes) -> str:
    """SHA-256 of a file's content, hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def decoded(data: bytes, path: Path) -> np.ndarray:
    """The image that a file's content holds, (height, width, 3) uint8; errors as `read_rgb`."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ValueError(f"image {path}: {image.width} x {image.height} px is too large.")
            if image.mode.startswith(("I", "F")):
                return _from_high_depth(np.asarray(image))
            return np.asarray(image.convert("RGB"))
    except DECODE_ERRORS as error:
        raise ValueError(_sentence(path, error)) from error


def _from_high_depth(values: np.ndarray) -> np.ndarray:
    """16-bit (or wider) gray to RGB uint8: 0 to 65535 becomes 0 to 255; 8-bit values stay."""
    wide = values.astype(np.float64)
    scaled = wide / 257.0 if wide.max(initial=0) > 255 else wide
    gray = np.clip(np.round(scaled), 0, 255).astype(np.uint8)
    return np.repeat(gray[:, :, None], 3, axis=2)


def _sentence(path: Path, error: Exception) -> Sentence:
    if not path.exists():
        return f"image {path}: this file is missing."
    return f"image {path}: cannot be decoded ({error}). Replace it, or set prepare.undecodable."
