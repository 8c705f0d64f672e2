"""One shape of LabelMe's: in comes what stands in the file, out comes what of a label it gives.

Coordinates are px as everywhere here, see `stages.formats.labelme`. Faults are ValueErrors, the
sentence but for its place.
"""

import base64
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stages.formats.ellipses import ellipse_polygon
from stages.formats.mask_forms import PngPatch
from stages.formats.values import numbers, shown, text

LINES = ("line", "linestrip")
PNG_HEAD, PNG_TEXT = 24, 32  # bytes up to the width and height, and their length in base64
PNG_START = b"\x89PNG\r\n\x1a\n"
Corners = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Part:
    """A shape, which is an object or a part of one.

    number : in the file, from 1 on. group : shapes of one label with the same are one object; None
    where it is an object of its own. form : the attribute of `Label` that value is for.
    """

    number: int
    label: str
    group: str | None
    form: str
    value: Any


def line_kind(shape: Any) -> str | None:
    """The kind of a shape without an area or a place, which is no label here; else None."""
    kind = shape.get("shape_type") if isinstance(shape, Mapping) else None
    points = shape.get("points") if kind == "points" else None
    is_line = kind in LINES if isinstance(kind, str) else False
    return kind if is_line or (isinstance(points, list) and len(points) > 1) else None


def is_flagged(shape: Any) -> bool:
    """A flag of the shape itself is set."""
    flags = shape.get("flags") if isinstance(shape, Mapping) else None
    return isinstance(flags, Mapping) and any(flags.values())


def part_of(shape: Any, number: int) -> Part:
    """What a shape gives: a point, box, polygon or mask.

    Raises
    ------
    ValueError : it is none, or not as LabelMe writes it.
    """
    if not isinstance(shape, Mapping):
        raise ValueError(f"{shown(shape)} is no object. Remove it.")
    kind = shape.get("shape_type") or "polygon"  # files of LabelMe 3 have polygons alone
    if not isinstance(kind, str) or kind not in READERS:
        raise ValueError(
            f"its shape_type {shown(kind)} is none of {', '.join([*READERS, *LINES])}. Correct it."
        )
    form, reader = READERS[kind]
    points, group = shape.get("points"), shape.get("group_id")
    try:
        if not isinstance(points, list):
            raise ValueError(f"points {shown(points)} are no list of [x, y]")
        pairs = [numbers(point, 2, "a point [x, y]") for point in points]
        value = reader([(x, y) for x, y in pairs], shape)
        name = None if group is None else text(group)
        return Part(number, text(shape.get("label")), name, form, value)
    except ValueError as error:
        raise ValueError(f"{kind}: {error}. Correct it, or draw it again in LabelMe.") from None


def together(parts: Sequence[Part]) -> dict[str, Any]:
    """Point, box and mask of the object that some shapes are; polygons are one mask.

    Raises
    ------
    ValueError : there are several points, boxes or masks.
    """
    forms = {form: [part.value for part in parts if part.form == form] for form in FORMS}
    masks = [*forms["patch"], *([forms["polygon"]] if forms["polygon"] else [])]
    for name, values in (("point", forms["point"]), ("rectangle", forms["box"]), ("mask", masks)):
        if len(values) > 1:
            numbered = ", ".join(str(part.number) for part in parts)
            raise ValueError(
                f"shapes {numbered} are one object by their label and group_id, and give it more "
                f"than one {name}. Give them different group ids."
            )
    found = {"point": forms["point"], "box": forms["box"], "mask": masks}
    return {name: values[0] for name, values in found.items() if values}


def _point(corners: Corners, shape: Mapping[str, Any]) -> tuple[float, float]:
    _check(corners, len(corners) == 1, "one")
    return corners[0]


def _box(corners: Corners, shape: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """Around opposite corners, in any order; some tools write all four."""
    _check(corners, len(corners) in (2, 4), "two opposite corners")
    xs, ys = zip(*corners, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _polygon(corners: Corners, shape: Mapping[str, Any]) -> list[float]:
    _check(corners, len(corners) >= 3, "three or more")
    return [value for corner in corners for value in corner]


def _circle(corners: Corners, shape: Mapping[str, Any]) -> list[float]:
    _check(corners, len(corners) == 2, "its centre and one of its rim")
    radius = math.dist(*corners)
    return ellipse_polygon(corners[0], (radius, radius))


def _patch(corners: Corners, shape: Mapping[str, Any]) -> PngPatch:
    """The picture at its upper left corner.

    LabelMe 5 counted the last column and row of a mask at the image's border once too often, so
    corners may be 1 px beyond the picture, whose size it is that counts.
    """
    _check(corners, len(corners) == 2, "two opposite corners")
    left, top, right, bottom = _box(corners, shape)
    data = shape.get("mask")
    size, said = _png_size(data), (right - left + 1, bottom - top + 1)
    if max(abs(size[0] - said[0]), abs(size[1] - said[1])) > 1:
        raise ValueError(
            f"its picture is of {size[0]} x {size[1]} px, its corners say {said[0]:g} x {said[1]:g}"
        )
    return PngPatch(str(data), round(left), round(top))


def _png_size(data: Any) -> tuple[int, int]:
    """Width and height, px, from the head of a PNG in base64."""
    try:
        head = base64.b64decode(data[:PNG_TEXT], validate=True) if isinstance(data, str) else b""
    except ValueError:
        head = b""
    if len(head) != PNG_HEAD or not head.startswith(PNG_START):
        raise ValueError(f"mask {shown(data)} is no PNG in base64")
    width, height = struct.unpack(">II", head[-8:])
    return width, height


def _check(corners: Corners, is_right: bool, needed: str) -> None:
    if not is_right:
        raise ValueError(f"it has {len(corners)} points, not {needed}")


FORMS = ("point", "box", "polygon", "patch")
READERS = {
    "point": ("point", _point),
    "points": ("point", _point),
    "rectangle": ("box", _box),
    "polygon": ("polygon", _polygon),
    "oriented_rectangle": ("polygon", _polygon),
    "rotation": ("polygon", _polygon),  # as X-AnyLabeling calls it
    "circle": ("polygon", _circle),
    "mask": ("patch", _patch),
}
