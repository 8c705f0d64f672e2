"""Pascal VOC: an XML file for each photograph comes in, with masks or not; `Labelled` goes out.

VOC counts pixels from 1 and its boxes hold their last pixel: x0 = xmin - 1 and x1 = xmax, so a box
of 1, 1, 1, 1 is the first pixel; a point is the centre of its pixel, x - 0.5. Many tools write this
XML and count from 0. Where any box or point of the files that are read begins below 1, all are
taken as continuous px from 0: x0 = xmin, x1 = xmax, and a point as it stands.

The k-th object of a file has the value k in the picture of that name in SegmentationObject, 0 being
the background and 255 the border between objects. Objects that are `difficult` are labels too.
Boxes of parts, `folder` and everything else are not read.

Format: http://host.robots.ox.ac.uk/pascal/VOC/voc2012/htmldoc/devkit_doc.html
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from xml.etree.ElementTree import Element

from stages.formats.assembly import Assembly
from stages.formats.format import Labelled
from stages.formats.mask_forms import IndexedPng
from stages.formats.values import number, text, whole
from stages.formats.voc_files import VocFiles, voc_files
from stages.formats.xml_children import children
from stages.runtime.faults import Faults

CORNERS = ("xmin", "ymin", "xmax", "ymax")
SIZE = ("height", "width")
SUFFIXES = (".jpg", ".jpeg", ".png", ".JPG", ".JPEG", ".PNG")  # the first, where none is there
MOST = 254  # objects with a mask: 255 is the border
FROM_0 = "boxes and points taken as counted from 0, since one begins below 1"


@dataclass(frozen=True, slots=True)
class _Object:
    """What an `object` holds, as it stands there. box : xmin, ymin, xmax, ymax."""

    image_id: int
    name: str
    place: str
    box: tuple[float, ...] | None
    point: tuple[float, ...] | None
    mask: IndexedPng | None


def read(source: Path, images: Path, faults: Faults) -> Labelled:
    """The labels of a VOC root, of its Annotations, of a list in ImageSets, or of one XML file.

    Raises
    ------
    ValueError : there is none of these, or no label in it; names it and the remedy.
    """
    files, assembly = voc_files(source, faults), Assembly(faults)
    objects: list[_Object] = []
    owners: dict[int, str] = {}
    for name, path in files.xmls.items():
        place = f"{name}{path.suffix}"
        with faults.caught("XML files with faults", place):
            elements = list(children(path, "annotation"))
            image_id = assembly.image(_photograph(elements, name, images), **_size(elements))
            if owners.setdefault(image_id, place) != place:
                raise ValueError(f"it is of the photograph of {owners[image_id]}. Remove one.")
            found = [element for element in elements if element.tag == "object"]
            objects += _objects(found, place, image_id, mask=files.masks.get(name), into=assembly)
    _label(objects, assembly)
    if not objects and not len(faults):
        raise ValueError(f"{source}: no object is in its XML files. Give other labels.")
    return assembly.labelled()


def sources(source: Path, images: Path) -> Sequence[Path]:
    """The list, if one is given, the XML files and the pictures of masks, each sorted by name."""
    try:
        files = voc_files(source, Faults(source))
    except ValueError:
        files = VocFiles({}, {})
    listed = [] if source.is_dir() or source in files.xmls.values() else [source]
    return [*listed, *files.xmls.values(), *files.masks.values()] or [source]


def file_names(source: Path, images: Path) -> Sequence[str]:
    """Which photographs the labels name.

    Raises
    ------
    ValueError : as `read`.
    """
    return [image["file_name"] for image in read(source, images, Faults(source)).images]


def _photograph(elements: Sequence[Element], name: str, images: Path) -> str:
    """Its path in the folder of photographs; what is not written of it is looked for there."""
    written = (_first(elements, "filename") or "").strip()
    file_name = written or PurePosixPath(name).name
    if "/" in file_name or "\\" in file_name:
        return file_name
    suffixes = ("",) if written and PurePosixPath(written).suffix else SUFFIXES
    choices = [file_name + suffix for suffix in suffixes]
    folder = PurePosixPath(name).parent
    inside = [str(folder / choice) for choice in choices]  # as the XML lies in Annotations
    if len(choices) > 1 or inside != choices:
        found = (choice for choice in [*inside, *choices] if os.path.isfile(images / choice))
        return next(found, choices[0])
    return file_name


def _size(elements: Sequence[Element]) -> dict[str, int]:
    """Height and width, where both are there and not 0, px."""
    size = next((element for element in elements if element.tag == "size"), None)
    sides = {side: size.findtext(side) for side in SIZE} if size is not None else {}
    try:
        found = {side: whole(number(value)) for side, value in sides.items() if value}
    except ValueError as error:
        raise ValueError(f"size: {error}. Correct it, or remove it.") from None
    return found if len(found) == len(SIZE) and all(found.values()) else {}


def _objects(
    found: Sequence[Element], place: str, image_id: int, *, mask: Path | None, into: Assembly
) -> Iterator[_Object]:
    """The objects of a file; a faulty one is a fault, but counts as one of the masks."""
    for count, element in enumerate(found, start=1):
        where = f"{place}: object {count}"
        with into.faults.caught("objects with faults", where):
            if mask and count > MOST:
                raise ValueError(f"a picture holds the masks of {MOST} objects. Remove it.")
            png = IndexedPng(mask, count) if mask else None
            values = (_name(element), where, _box(element), _point(element), png)
            if not any(values[2:]):
                raise ValueError("it has neither a bndbox nor a point. Add one, or remove it.")
            _count(element, into)
            yield _Object(image_id, *values)


def _count(element: Element, into: Assembly) -> None:
    if element.findtext("difficult", "").strip() == "1":
        into.told["difficult objects, taken as others are"] += 1
    if element.find("polygon") is not None:
        into.left_out["polygons of objects, which are not VOC's"] += 1


def _name(element: Element) -> str:
    try:
        return text(element.findtext("name")).strip()
    except ValueError:
        raise ValueError("it has no name. Add one, or remove it.") from None


def _box(element: Element) -> tuple[float, ...] | None:
    box = element.find("bndbox")
    return None if box is None else tuple(_named(box, key) for key in CORNERS)


def _point(element: Element) -> tuple[float, ...] | None:
    point = element.find("point")
    return None if point is None else tuple(_named(point, key) for key in ("x", "y"))


def _named(element: Element, key: str) -> float:
    """The number in a child; a fault in it says which one it is."""
    value = element.findtext(key)
    if value is None:
        raise ValueError(f"its {element.tag} has no {key}. Add it, or remove the {element.tag}.")
    try:
        return number(value)
    except ValueError as error:
        raise ValueError(f"{key}: {error}. Correct it.") from None


def _first(elements: Sequence[Element], tag: str) -> str | None:
    return next((element.text for element in elements if element.tag == tag), None)


def _label(objects: Sequence[_Object], assembly: Assembly) -> None:
    """Hand all objects on, in px from 0."""
    starts = [
        value for found in objects for value in [*(found.box or ())[:2], *(found.point or ())]
    ]
    is_from_1 = min(starts, default=1) >= 1
    shift, half = (1, 0.5) if is_from_1 else (0, 0)
    for found in objects:
        if not is_from_1:
            assembly.told[FROM_0] += bool(found.box) + bool(found.point)
        assembly.label(
            found.image_id,
            found.name,
            box=found.box and (*(side - shift for side in found.box[:2]), *found.box[2:]),
            point=found.point and tuple(value - half for value in found.point),
            mask=found.mask,
            place=found.place,
        )
