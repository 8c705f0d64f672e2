"""The door to the label formats that people have: each is read, written, or both."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from stages.runtime.doors import Method

FORMATS = {  # by dataset.train.format
    "coco": Method("stages.formats.coco"),
}


@dataclass(frozen=True, slots=True)
class Label:
    """What a person gave about one object, or about an image: any of these, or a class alone.

    Attributes
    ----------
    id : of the annotation; unique in the file.
    point : (x, y) px. box : (x0, y0, x1, y1) px, not yet cut at the image. mask : COCO polygons or
        RLE, not yet decoded. None each where the annotation has none.
    """

    id: int
    image_id: int
    category_id: int
    point: tuple[float, float] | None = None
    box: tuple[float, float, float, float] | None = None
    mask: Any = None


@dataclass(frozen=True, slots=True)
class Labelled:
    """What a file of labels holds, sorted by id and known to be consistent.

    Attributes
    ----------
    images : {id, file_name, height, width} each. categories : {id, name, ...} each.
    labels : one for each annotation that is not a crowd. crowds : how many are.
    """

    images: Sequence[dict[str, Any]]
    labels: Sequence[Label]
    categories: Sequence[dict[str, Any]]
    crowds: int = 0


class Format(Protocol):
    """One way to write labels down; a module of `stages.formats` has these names.

    It imports the standard library and this file alone, since the Snakefile asks for `file_names`.
    """

    def read(self, path: Path) -> Labelled:
        """The labels of a file.

        Raises
        ------
        ValueError : the file is missing or faulty; names the file, the entry and the remedy.
        """

    def file_names(self, data: bytes) -> Sequence[str]:
        """Which photographs a file of labels names, from what it holds; in any order.

        Raises
        ------
        ValueError, LookupError, TypeError : the file is faulty; `read` will say how.
        """
