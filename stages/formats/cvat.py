"""CVAT's XML 1.1 "for images": shapes and tags of images come in, `Labelled` goes out.

CVAT's coordinates are continuous px from the upper left corner of the image, as here, so they are
taken as they stand: a box of 0, 0, 1, 1 is the first pixel. `left` and `top` of a mask are whole
pixels; its runs go along the rows of its part of the image, the background's first.

An element of one point is a point; of several, no label. A turned box is taken as the upright box
around it, an ellipse as a polygon. Shapes of one image with the same label and the same group_id
(from 1 on) are one object, whose polygons are one mask.

Format: https://docs.cvat.ai/docs/other/xml_format
"""

import math
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from stages.formats.assembly import Assembly
from stages.formats.format import Labelled
from stages.formats.mask_forms import RowRuns
from stages.formats.values import given, number, numbers, shown, text, whole
from stages.formats.xml_children import children
from stages.runtime.faults import Faults

FILE = "annotations.xml"
SIZE = ("height", "width")
CORNERS = 128  # of an ellipse's polygon, which lacks 0.04% of its area
TOLD = Counter[str]
Values = dict[str, Any]  # attributes of a `Label`


def read(source: Path, images: Path, faults: Faults) -> Labelled:
    """The labels in an `annotations.xml`, or in the only one of a folder.

    Raises
    ------
    ValueError : there is no such file, it is no sound XML, it is for video, or holds no label;
        names it and the remedy.
    """
    path = _file(source)
    assembly = Assembly(faults)
    seen = set[int]()
    try:
        for child in children(path, "annotations"):
            if child.tag == "track":
                raise ValueError('it is "CVAT for video". Export it as "CVAT for images 1.1".')
            if child.tag == "image":
                _take_image(child, assembly, seen)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    found = assembly.labelled()
    if not found.labels and not len(faults):
        raise ValueError(f"{path}: it holds no label that is read. Give another file.")
    return found


def sources(source: Path, images: Path) -> Sequence[Path]:
    """The file of labels; all of that name where a folder has several."""
    return _files(source) or [source]


def file_names(source: Path, images: Path) -> Sequence[str]:
    """Which photographs the labels name.

    Raises
    ------
    ValueError : as `read`.
    """
    return [image["file_name"] for image in read(source, images, Faults(source)).images]


def _files(source: Path) -> list[Path]:
    if not source.is_dir():
        return [source]
    return sorted(Path(base, FILE) for base, _, files in os.walk(source) if FILE in files)


def _file(source: Path) -> Path:
    found = _files(source)
    if len(found) != 1:
        seen = " and ".join(map(str, found[:2])) or f"no {FILE}"
        raise ValueError(f"{source}: there is {seen} in it. Give one file of CVAT as the labels.")
    if not found[0].exists():
        raise ValueError(
            f"{source}: this file of labels is missing. Correct dataset in the config."
        )
    if found[0].is_file() and _is_zip(found[0]):
        raise ValueError(f"{source}: it is a zip. Unpack it, and give the {FILE} that it holds.")
    return found[0]


def _is_zip(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PK\x03\x04"
    except OSError:
        return False  # `children` says what is wrong with it


def _take_image(image: Element, assembly: Assembly, seen: set[int]) -> None:
    """Take one image with all that is in it; without a sound name or size, nothing of it."""
    place = f"image {image.get('name') or 'of id ' + shown(image.get('id'))}"
    with assembly.faults.caught("images with faults", place):
        name = _named(image, "name", text)
        height, width = (_named(image, key, lambda value: given(whole, value)) for key in SIZE)
        size = {"height": height, "width": width} if height and width else {}
        number = assembly.image(name, **size)
        if number in seen:
            raise ValueError("it is there twice. Export the tasks singly, or rename one.")
        seen.add(number)
        for label, values in _objects(image, place, assembly):
            assembly.label(number, label, **values)


def _objects(image: Element, place: str, assembly: Assembly) -> list[tuple[str, Values]]:
    """Label and attributes of each object, of which a group is one."""
    objects: dict[tuple[str, int, int], Values] = {}
    counts = Counter[str]()
    for alone, shape in enumerate(image):
        counts[shape.tag] += 1
        where = f"{place}: {shape.tag} {counts[shape.tag]}"
        with assembly.faults.caught("shapes with faults", where):
            values = _values(shape, assembly)
            if values is not None:
                label = _named(shape, "label", text)
                group = _named(shape, "group_id", lambda value: given(whole, value)) or 0
                key = (label, group, 0 if group else alone)
                _join(objects.setdefault(key, {"place": where}), values)
    return [(label, values) for (label, _, _), values in objects.items()]


def _join(values: Values, more: Values) -> None:
    """Add one more shape to the object that its group is."""
    for name, value in more.items():
        if name == "mask" and isinstance(value, list) and isinstance(values.get("mask"), list):
            values["mask"] = values["mask"] + value
        elif name in values:
            raise ValueError(
                f"it is the second {name} of one label in one group, which is one object. Ungroup "
                "it, or remove one."
            )
        else:
            values[name] = value


def _values(shape: Element, assembly: Assembly) -> Values | None:
    """What a shape gives a label; None where it is left out, and counted."""
    several = shape.tag == "points" and ";" in shape.get("points", "").strip("; ")
    if several or shape.tag not in SHAPES:
        kind = "elements of several points" if several else LEFT_OUT.get(shape.tag, UNKNOWN)
        assembly.left_out[kind] += 1
        return None
    return SHAPES[shape.tag](shape, assembly.told)


def _point(shape: Element, told: TOLD) -> Values:
    return {"point": _pairs(shape)[0]}


def _polygon(shape: Element, told: TOLD) -> Values:
    corners = _pairs(shape)
    if len(corners) < 3:
        raise ValueError(f"it has {len(corners)} corners, not three or more. Correct or remove it.")
    return {"mask": [[value for corner in corners for value in corner]]}


def _box(shape: Element, told: TOLD) -> Values:
    x0, y0, x1, y1 = (_named(shape, key, number) for key in ("xtl", "ytl", "xbr", "ybr"))
    sine, cosine = _turn(shape)
    if not sine and cosine == 1:
        return {"box": (x0, y0, x1, y1)}
    told["turned boxes, taken as the upright boxes around them"] += 1
    half_x, half_y = (x1 - x0) / 2, (y1 - y0) / 2
    reach_x = abs(half_x * cosine) + abs(half_y * sine)
    reach_y = abs(half_x * sine) + abs(half_y * cosine)
    x, y = x0 + half_x, y0 + half_y
    return {"box": (x - reach_x, y - reach_y, x + reach_x, y + reach_y)}


def _ellipse(shape: Element, told: TOLD) -> Values:
    x, y, radius_x, radius_y = (_named(shape, key, number) for key in ("cx", "cy", "rx", "ry"))
    if min(radius_x, radius_y) <= 0:
        raise ValueError(f"its rx and ry are {radius_x} and {radius_y}, not above 0. Remove it.")
    sine, cosine = _turn(shape)
    polygon = []
    for corner in range(CORNERS):
        angle = 2 * math.pi * corner / CORNERS
        along, across = radius_x * math.cos(angle), radius_y * math.sin(angle)
        polygon += [x + along * cosine - across * sine, y + along * sine + across * cosine]
    told[f"ellipses, taken as polygons of {CORNERS} corners"] += 1
    return {"mask": [polygon]}


def _mask(shape: Element, told: TOLD) -> Values:
    left, top = (_named(shape, key, whole) for key in ("left", "top"))
    width, height = (_named(shape, key, whole) for key in ("width", "height"))
    runs = _named(shape, "rle", lambda value: tuple(map(whole, text(value).split(","))))
    return {"mask": RowRuns(runs, x=left, y=top, width=width, height=height)}


def _tag(shape: Element, told: TOLD) -> Values:
    return {}


def _turn(shape: Element) -> tuple[float, float]:
    """Sine and cosine of the rotation, which is given in degrees and clockwise, y being down."""
    angle = math.radians(math.remainder(_named(shape, "rotation", number, "0"), 360))
    return math.sin(angle), math.cos(angle)


def _pairs(shape: Element) -> list[tuple[float, ...]]:
    """The points of "x,y;x,y"."""
    pairs: list[tuple[float, ...]] = _named(shape, "points", _split)
    return pairs


def _split(value: Any) -> list[tuple[float, ...]]:
    parts = text(value).strip("; ").split(";")
    return [numbers(part.split(","), 2, "x,y in px") for part in parts]


def _named(
    element: Element, key: str, convert: Callable[[Any], Any], default: str | None = None
) -> Any:
    """An attribute, converted; a fault in it says which one it is."""
    value = element.get(key, default)
    try:
        return convert(value)
    except ValueError as error:
        fault = f"it has no {key}" if value is None else f"{key}: {error}"
        raise ValueError(f"{fault}. Correct or remove it.") from None


SHAPES: Mapping[str, Callable[[Element, TOLD], Values]] = {
    "points": _point,
    "box": _box,
    "polygon": _polygon,
    "mask": _mask,
    "ellipse": _ellipse,
    "tag": _tag,
}
LEFT_OUT = {"polyline": "polylines", "cuboid": "cuboids", "skeleton": "skeletons"}
UNKNOWN = "elements of unknown kinds"
