"""The door to the label formats that people have: each is read, written, or both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from stages.runtime.doors import Method

if TYPE_CHECKING:
    from stages.runtime.faults import Faults

FORMATS = {  # by dataset.train.format
    "coco": Method("stages.formats.coco"),
    "csv": Method("stages.formats.delimited"),
    "labelme": Method("stages.formats.labelme"),
    "label_studio": Method("stages.formats.label_studio"),
    "cvat": Method("stages.formats.cvat"),
    "voc": Method("stages.formats.voc"),
    "yolo": Method("stages.formats.yolo"),
}
STORED_GRID = ("coco", "voc")  # whose coordinates do not follow a photograph's EXIF orientation
AUTO = "auto"  # the format is told by what the file holds


@dataclass(frozen=True, slots=True)
class Label:
    """What a person gave about one object, or about an image: any of these, or a class alone.

    Coordinates are px from the upper left corner of the image; the centre of its first pixel is
    (0.5, 0.5).

    Attributes
    ----------
    id : of the annotation, unique in the file; its number within the image where there is none.
    point : (x, y). box : (x0, y0, x1, y1), not yet cut at the image. mask : COCO polygons or RLE,
        or a form of `stages.formats.mask_forms`, not yet decoded. None each where there is none.
    place : where it stands in the file, for sentences: "annotation 7", "line 3".
    is_relative : point, box and polygons are shares of the image's sides, not px.
    is_crowd : the file says that it stands for several objects.
    """

    id: int
    image_id: int
    category_id: int
    point: tuple[float, float] | None = None
    box: tuple[float, float, float, float] | None = None
    mask: Any = None
    place: str = ""
    is_relative: bool = False
    is_crowd: bool = False


@dataclass(frozen=True, slots=True)
class Labelled:
    """What a file of labels holds, sorted by id and known to be consistent.

    Attributes
    ----------
    images : {id, file_name, height, width} each; height and width are None where the file does not
        say them. categories : {id, name, ...} each.
    labels : crowds among them; sorted by (image_id, id) or by id.
    left_out : how many of what was left out: {"lines": 12}. told : what was taken in another way
        than it stands there, likewise: {"rotated boxes, taken as their hull": 4}.
    has_ids : ids of annotations are the file's own, unique in it; else numbers within the image.
    """

    images: Sequence[dict[str, Any]]
    labels: Sequence[Label]
    categories: Sequence[dict[str, Any]]
    left_out: Mapping[str, int] = field(default_factory=dict)
    told: Mapping[str, int] = field(default_factory=dict)
    has_ids: bool = True


class Format(Protocol):
    """One way to write labels down; a module of `stages.formats` has these names.

    Importing it imports the standard library, this file and what it shares with it alone, since the
    Snakefile asks for `sources` and `file_names`; heavier libraries are imported where a file needs
    them.
    """

    def read(self, source: Path, images: Path, faults: "Faults") -> Labelled:
        """The labels in a file or folder.

        Parameters
        ----------
        images : the folder of the photographs. No photograph is opened; where labels do not name
            their photographs whole, its names are looked at.
        faults : takes the faults of single entries, which are left out of what is returned.

        Raises
        ------
        ValueError : the file is missing, or faulty as a whole; names it and the remedy.
        """

    def sources(self, source: Path, images: Path) -> Sequence[Path]:
        """The files that `read` reads, in an order that their contents do not decide."""

    def file_names(self, source: Path, images: Path) -> Sequence[str]:
        """Which photographs the labels name, as they name them; in any order.

        Raises
        ------
        OSError, ValueError, LookupError, TypeError : the file is faulty; `read` will say how.
        """
