"""Masks as other tools write them down, carried undecoded from the reader to the gate.

`stages.formats.mask_decoding` makes pixels of them, one at a time, so that a file's masks are never
in memory at once and a reader needs the standard library alone.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class RowRuns:
    """Runs along the rows of a part of the image, the background's first (CVAT).

    x, y : px, of the part's upper left corner. width, height : px, of the part.
    """

    runs: tuple[int, ...]
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class PngPatch:
    """A picture of a part of the image, in which what is not 0 is the object (LabelMe).

    data : the file, a PNG in base64. x, y : px, of the part's upper left corner.
    """

    data: str
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class IndexedPng:
    """One value of a picture of object numbers (VOC's SegmentationObject). value : 1 to 254."""

    path: Path
    value: int


@dataclass(frozen=True, slots=True)
class BrushRuns:
    """Label Studio's run-length code of the RGBA bytes of an image, its alpha being the mask.

    codes : bytes, 0 to 255 each. width, height : px, of the image that was labelled.
    """

    codes: bytes
    width: int
    height: int


AnyForm = RowRuns | PngPatch | IndexedPng | BrushRuns
