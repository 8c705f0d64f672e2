"""Photographs from a folder of strangers' files, always as RGB uint8.

Which way up a photograph is read, and which values of a gray one of more than 8 bits become black
and white, is decided once, in `prepare`, and stands in table `images` (and in the file that export
writes); palettes, RGBA and CMYK become RGB. No path may leave the image folder.
"""

import hashlib
import io
import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, get_args

import numpy as np
from PIL import Image, UnidentifiedImageError

from stages.geometry.codes import MOST_PIXELS
from stages.photographs.depth import (
    Depth,
    Range,
    declared_white,
    deep_values,
    is_deep,
    range_of,
    to_bytes,
)
from stages.photographs.naming import image_path
from stages.photographs.orientation import (
    RAW,
    Header,
    Size,
    fitting,
    header_of,
    is_turned,
    turned,
    turned_back,
)
from stages.runtime.program import Sentence, shown

MAX_PIXELS = MOST_PIXELS  # larger files are refused before they fill the memory
DECODE_ERRORS = (
    *(OSError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError),
    *(ValueError, OverflowError, EOFError, IndexError, KeyError, TypeError, MemoryError),
)


READING = "reading"  # key of an image in export's file: {orientation, black, white}, unless plain;
# of a held-out one, in memory alone: {orientation, depth}


def read_header(source: Path | BinaryIO, path: Path) -> Header:
    """Size, turn and depth from the header of what `source` holds; `path` names it in sentences.

    Raises
    ------
    ValueError : missing or undecodable.
    """
    try:
        if isinstance(source, Path):
            check_regular(source)
        with Image.open(source) as image:
            return header_of(image)
    except DECODE_ERRORS as error:
        raise ValueError(_sentence(path, error)) from error


def photograph(folder: Path, row: Mapping[str, Any]) -> np.ndarray:
    """The pixels of a row of table `images`, (height, width, 3) uint8, read as the row says.

    Whether a link may lead out of the folder was asked in `prepare`.

    Raises
    ------
    ValueError : missing, undecodable or truncated, or no longer the file that was prepared.
    """
    path = image_path(folder, row["file_name"], follow_links=True)
    data = bytes_of(path)
    turn, limits = row["orientation"], _limits(row)
    if row["digest"] != digest_of(data, turn, limits):
        raise ValueError(
            f"image {shown(path)}: the photograph was replaced after prepare had read it. Run "
            "snakemake again, which begins with prepare."
        )
    return decoded(data, path, orientation=turn, limits=limits)


def photograph_of_entry(folder: Path, entry: Mapping[str, Any]) -> np.ndarray:
    """The pixels of an image of a COCO file, (height, width, 3) uint8.

    Parameters
    ----------
    entry : with file_name, height and width in px; its key READING says how it is read, and where
        it has none, the size says which way up.

    Raises
    ------
    ValueError : missing, undecodable or truncated, or of another size.
    """
    path = image_path(folder, entry["file_name"], follow_links=True)
    data, size = bytes_of(path), (entry["height"], entry["width"])
    reading = entry.get(READING)
    reading = reading if isinstance(reading, dict) else {}
    turn, limits = reading.get("orientation"), _limits(reading)
    if turn not in range(1, 9):
        turn = _fitting_turn(data, path, size)
    if limits is None and reading.get("depth") in get_args(Depth):
        limits = limits_of(data, path, reading["depth"])
    pixels = decoded(data, path, orientation=turn, limits=limits)
    if pixels.shape[:2] != size:
        raise ValueError(
            f"image {shown(path)}: {pixels.shape[1]} x {pixels.shape[0]} px, but its labels say "
            f"{size[1]} x {size[0]} px. Give the photographs that the labels were made for."
        )
    return pixels


def reading_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Key READING of an image in a COCO file, by its row of table `images`; nothing where plain."""
    turn = {} if row["orientation"] == RAW else {"orientation": row["orientation"]}
    limits = {name: row[name] for name in ("black", "white") if row[name] is not None}
    return {READING: turn | limits} if turn or limits else {}


def _limits(reading: Mapping[str, Any]) -> Range | None:
    """The values that become black and white, where both are told."""
    black, white = reading.get("black"), reading.get("white")
    if not isinstance(black, int | float) or not isinstance(white, int | float):
        return None
    return (float(black), float(white)) if black < white else None


def _fitting_turn(data: bytes, path: Path, size: Size) -> int:
    header = read_header(io.BytesIO(data), path)
    try:
        return fitting(header, size, "auto") or RAW
    except ValueError as error:
        raise ValueError(f"image {shown(path)}: {error}") from None


def bytes_of(path: Path) -> bytes:
    """Content of a photograph's file; raises ValueError where it is missing."""
    try:
        check_regular(path)
        return path.read_bytes()
    except OSError as error:
        raise ValueError(_sentence(path, error)) from error


def check_regular(path: Path) -> None:
    """Raise OSError where a path is no file: a pipe is waited for, and a device has no end."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError("it is no regular file")


def digest_of(data: bytes, orientation: int | None = None, limits: Range | None = None) -> str:
    """SHA-256 of a file's content, and of how it is read where that is not as it stands.

    Parameters
    ----------
    orientation : 1 to 8. limits : values that become black and white.
    """
    digest = hashlib.sha256(data)
    if orientation not in (None, RAW) or limits is not None:
        digest.update(json.dumps([orientation, limits]).encode())
    return digest.hexdigest()


def read_rgb(path: Path) -> np.ndarray:
    """A photograph by itself as people see it, (height, width, 3) uint8: turned as its EXIF says.

    Raises
    ------
    ValueError : missing, undecodable or truncated.
    """
    return decoded(bytes_of(path), path)


def decoded(
    data: bytes, path: Path, *, orientation: int | None = None, limits: Range | None = None
) -> np.ndarray:
    """The image that a file's content holds, (height, width, 3) uint8; errors as `read_rgb`.

    Parameters
    ----------
    orientation : how it is turned, 1 to 8 (1: as it is stored); None: as its EXIF says.
    limits : values of a gray image of more than 8 bits that become black and white; None: found.
    """
    with opened_image(data, path) as image:
        header = header_of(image)
        pixels = _rgb(image, data, limits)
    if is_turned(image):
        pixels = turned_back(pixels, header.exif)
    return turned(pixels, header.exif if orientation is None else orientation)


def limits_of(data: bytes, path: Path, depth: Depth) -> Range | None:
    """The values that become black and white in an image of more than 8 bits; else None."""
    with opened_image(data, path) as image:
        if not header_of(image).is_wide:
            return None
        return range_of(deep_values(image, data), depth, declared_white(image))


@contextmanager
def opened_image(data: bytes, path: Path) -> Iterator[Image.Image]:
    """An image of a size that fits in memory; what goes wrong within is told of `path`."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ValueError(f"{image.width} x {image.height} px is too large")
            yield image
    except DECODE_ERRORS as error:
        raise ValueError(_sentence(path, error)) from error


def _rgb(image: Image.Image, data: bytes, limits: Range | None) -> np.ndarray:
    """Pixels as they are loaded, (h, w, 3) uint8."""
    if not is_deep(image):
        return np.asarray(image.convert("RGB"))
    values = deep_values(image, data)
    found = to_bytes(values, limits or range_of(values, "auto", declared_white(image)))
    return found if found.ndim == 3 else np.repeat(found[:, :, None], 3, axis=2)


def _sentence(path: Path, error: Exception) -> Sentence:
    if not os.path.exists(path):  # Path.exists raises where a name is too long
        return f"image {shown(path)}: this file is missing. Put it there, or correct its name."
    return (
        f"image {shown(path)}: cannot be decoded ({error}). Replace it, or set prepare.undecodable."
    )
