"""One result of Label Studio's: in comes what stands in the file, out comes what a label needs.

Coordinates are percent of the image's sides, continuous: 0 is its left or upper edge, so the centre
of the first pixel is at half a pixel, as here. With the image's size in the result they become px,
without it (Label Studio 0.x) shares of its sides. An ellipse's x and y are its centre, whatever the
documentation of the tag says; a rectangle is turned about its upper left corner. Faults are
ValueErrors, the sentence but for its place.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stages.formats.ellipses import ellipse_polygon, rectangle_polygon
from stages.formats.mask_forms import BrushRuns
from stages.formats.values import number, numbers, shown, text, whole

LABELS = "labels"  # ends the type of a region that has its class with it: "keypointlabels"
CHOICES = "choices"
LONGEST_KIND = 40  # letters, in what is counted
AGAIN = "Correct it, or export the labels again as JSON."


@dataclass(frozen=True, slots=True)
class _Scale:
    """From percent to px, or to shares where `size`, (height, width) px, is None."""

    size: tuple[int, int] | None

    def along(self, x: Any, y: Any) -> tuple[float, float]:
        height, width = self.size or (1, 1)
        return number(x) * width / 100, number(y) * height / 100


def kind_of(result: Any) -> str:
    """The type of a result, in small letters.

    Raises
    ------
    ValueError : it has none.
    """
    kind = result.get("type") if isinstance(result, Mapping) else None
    if not isinstance(kind, str) or not isinstance(result.get("value"), Mapping | None):
        raise ValueError(f"{shown(result)} is no result with a type and a value. {AGAIN}")
    return kind.lower()


def shape_of(result: Mapping[str, Any]) -> str | None:
    """What a result draws: "keypoint" for type "keypointlabels"; None where it draws nothing."""
    shape = kind_of(result).removesuffix(LABELS)
    return shape if shape in READERS else None


def classes_of(results: Sequence[Mapping[str, Any]]) -> list[str]:
    """The classes of a region, each once, in the order of its results.

    Raises
    ------
    ValueError : they are no text.
    """
    found = []
    for result in results:
        kind = kind_of(result)
        if kind == LABELS or shape_of(result):
            found += _names(result, kind if kind.endswith(LABELS) else LABELS)
    return list(dict.fromkeys(found))


def choices_of(results: Sequence[Mapping[str, Any]]) -> list[str]:
    """What was chosen, of a list, for an image or region; as `classes_of`."""
    chosen = [result for result in results if kind_of(result) == CHOICES]
    return list(dict.fromkeys(name for result in chosen for name in _names(result, CHOICES)))


def others_of(results: Sequence[Mapping[str, Any]]) -> Counter[str]:
    """How many results say nothing here, by what they are, in the plural."""
    is_region = any(shape_of(result) for result in results)
    read = (CHOICES, LABELS) if is_region else (CHOICES,)
    kinds = [kind_of(result) for result in results if not shape_of(result)]
    return Counter(f"results of kind {_written(kind)}" for kind in kinds if kind not in read)


def _written(kind: str) -> str:
    """A type as it can be printed: JSON may hold halves of characters."""
    return kind[:LONGEST_KIND] if kind.isprintable() else shown(kind, LONGEST_KIND)


def unfit(result: Mapping[str, Any]) -> str | None:
    """What to count a region among that is no object, in the plural; None where it is one."""
    shape = shape_of(result)
    if shape == "polygon" and _value(result).get("closed") is False:
        return "polygons that are not closed"
    if shape == "keypoint" and result.get("is_positive") is False:
        return "keypoints that say where an object is not"
    return None


def is_turned(result: Mapping[str, Any]) -> bool:
    """A region is a rectangle that is taken as the box around it."""
    return shape_of(result) == "rectangle" and _degrees(_value(result)) != 0


def size_of(result: Mapping[str, Any]) -> tuple[int, int] | None:
    """(height, width) of the image, px; None where the result does not say them.

    Raises
    ------
    ValueError : they are no numbers of pixels, or the image was turned before it was labelled.
    """
    sides = [result.get("original_height"), result.get("original_width")]
    try:
        turn = number(result.get("image_rotation") or 0) % 360
        height, width = (None, None) if None in sides else [whole(side, low=1) for side in sides]
    except ValueError as error:
        raise ValueError(f"size or rotation of the image: {error}. {AGAIN}") from None
    if turn:
        raise ValueError(
            f"its image was turned by {turn:g} degrees in Label Studio, and its labels with it. "
            "Turn it back there, or turn the photograph and label it again."
        )
    return None if height is None or width is None else (height, width)


def values_of(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Point, box or mask that a region gives, as attributes of `Label`.

    Parameters
    ----------
    results : one, or several that draw the same.

    Raises
    ------
    ValueError : they draw something else each, or not as Label Studio writes it.
    """
    first, shape = results[0], str(shape_of(results[0]))
    if any(_drawn(result) != _drawn(first) for result in results[1:]):
        raise ValueError(f"id {shown(first.get('id'))} is of several regions. Make ids differ.")
    size = size_of(first)
    try:
        name, value = READERS[shape](_value(first), _Scale(size))
    except KeyError as error:
        raise ValueError(f"{shape}: there is no {error}. {AGAIN}") from None
    except ValueError as error:
        raise ValueError(f"{shape}: {error}. {AGAIN}") from None
    return {name: value, "is_relative": size is None}


def _value(result: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = result.get("value") or {}
    return found


def _drawn(result: Mapping[str, Any]) -> dict[str, Any]:
    """What a result draws, without its class."""
    return {key: value for key, value in _value(result).items() if not key.endswith(LABELS)}


def _names(result: Mapping[str, Any], key: str) -> list[str]:
    """Names under a key of a result's value; none where it is not there."""
    found = _value(result).get(key)
    if found is None:
        return []
    try:
        return [text(name) for name in (found if isinstance(found, list) else [found])]
    except ValueError as error:
        raise ValueError(f"{key}: {error}. {AGAIN}") from None


def _point(value: Mapping[str, Any], scale: _Scale) -> tuple[str, tuple[float, float]]:
    return "point", scale.along(value["x"], value["y"])


def _box(value: Mapping[str, Any], scale: _Scale) -> tuple[str, tuple[float, ...]]:
    corner, size = _placed(value, scale, ("width", "height"))
    corners = rectangle_polygon(corner, size, degrees=_degrees(value))
    xs, ys = corners[::2], corners[1::2]
    return "box", (min(xs), min(ys), max(xs), max(ys))


def _polygon(value: Mapping[str, Any], scale: _Scale) -> tuple[str, list[list[float]]]:
    points = value["points"]
    if not isinstance(points, list) or len(points) < 3:
        raise ValueError(f"points {shown(points)} are no list of three or more")
    pairs = [scale.along(*numbers(point, 2, "a point [x, y]")) for point in points]
    return "mask", [[side for pair in pairs for side in pair]]


def _ellipse(value: Mapping[str, Any], scale: _Scale) -> tuple[str, list[list[float]]]:
    center, radii = _placed(value, scale, ("radiusX", "radiusY"))
    return "mask", [ellipse_polygon(center, radii, degrees=_degrees(value))]


def _placed(
    value: Mapping[str, Any], scale: _Scale, sides: tuple[str, str]
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Where a shape is, and its two sides or radii."""
    if scale.size is None and _degrees(value):
        raise ValueError("it is turned, and its original_width and original_height are not there")
    across, down = sides
    return scale.along(value["x"], value["y"]), scale.along(value[across], value[down])


def _degrees(value: Mapping[str, Any]) -> float:
    return number(value.get("rotation") or 0) % 360


def _brush(value: Mapping[str, Any], scale: _Scale) -> tuple[str, BrushRuns]:
    codes = value["rle"]
    if value.get("format", "rle") != "rle" or not isinstance(codes, list):
        raise ValueError(f"its format {shown(value.get('format'))} is not 'rle', a list of bytes")
    if scale.size is None:
        raise ValueError("its original_width and original_height are not there")
    try:
        packed = bytes(codes)
    except (TypeError, ValueError, OverflowError):
        raise ValueError("its rle holds what is no whole number from 0 to 255") from None
    return "mask", BrushRuns(packed, scale.size[1], scale.size[0])


READERS = {
    "keypoint": _point,
    "rectangle": _box,
    "polygon": _polygon,
    "ellipse": _ellipse,
    "brush": _brush,
}
