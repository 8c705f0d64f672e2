"""EXIF orientation: which way up a photograph is read, and what its size is then.

Cameras store the raw grid and a note how to turn it. Browsers, labelling tools and detectron2 show
the turned photograph; COCO's own files, and VOC's, are of the raw grid. The sizes in the file of
labels tell the two apart where the turn is a quarter; a half turn and a mirror leave the size as it
is, and are then read as the other photographs of the set.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

from stages.photographs.depth import is_deep

RAW, TAG = 1, 0x0112
PNG_BLOCKS = {"exif", "Raw profile type exif"}  # keys of what stands before the pixels
QUARTER = (5, 6, 7, 8)  # height and width change places
Mode = Literal["auto", "raw", "exif"]
Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Header:
    """What a photograph's header says. size : (height, width) px, raw. exif : 1 to 8.

    is_wide : of more than 8 bits.
    """

    size: Size
    exif: int
    is_wide: bool

    def size_at(self, orientation: int) -> Size:
        """(height, width) px once it is turned."""
        return self.size[::-1] if orientation in QUARTER else self.size


def header_of(image: Image.Image) -> Header:
    """The header of an open photograph. Pillow turns TIFF files itself; told as if it did not."""
    is_wide = is_deep(image)  # before the block is read, which may load the pixels
    exif = _orientation(image)
    size = (image.height, image.width)
    if image.format == "TIFF" and exif in QUARTER:
        size = size[::-1]
    return Header(size, exif, is_wide)


def _orientation(image: Image.Image) -> int:
    """What the EXIF block of an open photograph says, 1 to 8; 1 where there is none."""
    try:
        told = _png_block(image) if image.format == "PNG" else image.getexif()
        turn = int(told.get(TAG, RAW))
    except Exception:  # any fault in a block that says nothing of the pixels
        return RAW
    return turn if turn in range(1, 9) else RAW


def _png_block(image: Image.Image) -> Image.Exif:
    """The EXIF block of a PNG, which may stand behind the pixels; Pillow would decode them all."""
    if PNG_BLOCKS & image.info.keys():
        return image.getexif()
    file, found = getattr(image, "fp"), Image.Exif()  # noqa: B009 - an attribute of ImageFile
    place = file.tell()
    file.seek(8)
    while len(head := file.read(8)) == 8:
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        if kind == b"eXIf":
            found.load(file.read(length))
            break
        file.seek(length + 4, os.SEEK_CUR)
    file.seek(place)
    return found


def is_turned(image: Image.Image) -> bool:
    """Whether Pillow turns the pixels when it loads them."""
    return image.format == "TIFF" and (not is_deep(image) or image.mode.startswith(("I", "F")))


def turned(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Pixels (h, w, ...) of the raw grid as the EXIF orientation says that they are seen."""
    if orientation in QUARTER:
        pixels = pixels.swapaxes(0, 1)
    rows = -1 if orientation in (3, 4, 7, 8) else 1
    columns = -1 if orientation in (2, 3, 6, 7) else 1
    return np.ascontiguousarray(pixels[::rows, ::columns])


def turned_back(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """The inverse of `turned`."""
    inverse = {6: 8, 8: 6}.get(orientation, orientation)
    return turned(pixels, inverse)


def fitting(header: Header, size: Size | None, mode: Mode) -> int | None:
    """The orientation in which a photograph has the size that the labels say.

    Parameters
    ----------
    size : (height, width) px, or None where the labels do not say it.

    Returns
    -------
    1 to 8; None where both readings fit, or none is told: the set decides.

    Raises
    ------
    ValueError : none fits; the end of a sentence.
    """
    allowed = {"raw": (RAW,), "exif": (header.exif,), "auto": (RAW, header.exif)}[mode]
    fits = [turn for turn in dict.fromkeys(allowed) if size in (None, header.size_at(turn))]
    if fits:
        return fits[0] if len(fits) == 1 else None
    assert size is not None
    height, width = header.size_at(allowed[0])
    raise ValueError(
        f"{width} x {height} px, but the annotation file says {size[1]} x {size[0]} px"
        f"{_remedy(header, size, mode)}"
    )


def _remedy(header: Header, size: Size, mode: Mode) -> str:
    other = header.exif if mode == "raw" else RAW
    if size != header.size_at(other):
        return ". Correct the file, or give the photographs that it was made for."
    fits = "as the EXIF orientation turns it" if mode == "raw" else "without its EXIF orientation"
    return f", which it has {fits}. Set prepare.orientation: auto."


def orientations(
    found: Mapping[int, int | None], headers: Mapping[int, Header], *, is_raw: bool
) -> dict[int, int]:
    """The orientation of each photograph, those that sizes do not tell as the others of the set.

    Parameters
    ----------
    found : what `fitting` says. is_raw : where no size tells, labels are of the stored grid, as
        COCO's and VOC's are; else of what a person saw.
    """
    told = [
        turn != RAW
        for number, turn in found.items()
        if turn is not None and headers[number].exif in QUARTER
    ]
    seen = sum(told) * 2 > len(told) if told else not is_raw
    return {
        number: turn if turn is not None else (headers[number].exif if seen else RAW)
        for number, turn in found.items()
    }
