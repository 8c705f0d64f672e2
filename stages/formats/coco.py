"""COCO JSON from strangers: read once, checked entirely, with a sentence for each fault.

Coordinates are px from the image's upper left corner, as everywhere here: COCO's polygons and boxes
are of the same grid, in which the first pixel's centre is (0.5, 0.5). COCO has no place for a
point but `keypoints`, so an annotation with one labelled key point has a point; our own key `point:
[x, y]` goes before it. Values of another type than COCO's are converted where that is unambiguous:
"120" is 120, a missing size is that of the photograph.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.formats.format import Label, Labelled
from stages.formats.values import (
    LARGEST_CLASS,
    flag,
    given,
    number,
    numbers,
    shown,
    text,
    whole,
)
from stages.runtime.faults import Faults

Entry = dict[str, Any]
Convert = Callable[[Any], Any]
SINGULAR = {"images": "image", "categories": "category", "annotations": "annotation"}
FIFTYONE = "labels.json"  # in the folder that FiftyOne exports
SEVERAL = "annotations with several key points, which are no point"


def category(value: Any) -> int:
    """Id of a class."""
    return whole(value, high=LARGEST_CLASS)


def size(value: Any) -> int | None:
    """A side of an image, px; None where the exporter did not know it: null, 0 or empty."""
    side = given(lambda known: whole(known, high=LARGEST_CLASS), value)
    return side or None


def box(value: Any) -> list[float]:
    """A box of an annotation."""
    return list(numbers(value, 4, "[x, y, width, height] in px"))


KEYS: dict[str, dict[str, Convert]] = {  # keys that must be there
    "images": {"id": whole, "file_name": text},
    "categories": {"id": category, "name": text},
    "annotations": {"id": whole, "image_id": whole, "category_id": category},
}
MORE: dict[str, dict[str, Convert]] = {  # keys that may be missing or null
    "images": {"height": size, "width": size},
    "categories": {"supercategory": lambda value: given(text, value) or ""},
    "annotations": {
        "iscrowd": lambda value: int(flag(value)),
        "bbox": lambda value: given(box, value),
        "area": lambda value: given(number, value),
    },
}


@dataclass(frozen=True, slots=True)
class CocoFile:
    """The three lists of a COCO file, sorted by id and known to be consistent."""

    images: list[Entry]
    annotations: list[Entry]
    categories: list[Entry]


def read_coco(path: Path, *, annotated: bool = True) -> CocoFile:
    """Read and check a COCO instances file for training or scoring: all images have a size.

    Parameters
    ----------
    annotated : False leaves the annotations out, whatever they are, and returns none.

    Raises
    ------
    ValueError : missing file, no JSON, a list or key missing, a value of a wrong type, an id twice,
        an annotation of an unknown image or category, or no annotation at all; tells all faults.
    """
    faults = Faults(path)
    file = _file(path, faults, annotated=annotated)
    for image in file.images:
        if image["height"] is None or image["width"] is None:
            faults.add(
                "images without a size",
                f"image {image['id']} ({image['file_name']}) has no height and width. Write them "
                "into the file.",
            )
    faults.check()
    return file


def labelled(annotations: Sequence[Entry]) -> list[Entry]:
    """The annotations that stand for one object each: those that are not crowds."""
    return [annotation for annotation in annotations if not annotation.get("iscrowd", 0)]


def read(source: Path, images: Path, faults: Faults) -> Labelled:
    """The labels of a COCO file, for `stages.formats.format`: what each annotation holds.

    Raises
    ------
    ValueError : no COCO file, or one without annotations.
    """
    file = _file(_path(source), faults)
    told = Counter[str]()
    labels = []
    for annotation in file.annotations:
        with faults.caught("points that are none", f"annotation {annotation['id']}"):
            labels.append(_label(annotation, told))
    return Labelled(file.images, labels, file.categories, told=told)


def sources(source: Path, images: Path) -> Sequence[Path]:
    """The file itself, for `stages.formats.format`."""
    return [_path(source)]


def file_names(source: Path, images: Path) -> Sequence[str]:
    """Of the images in a COCO file, in its order; for `stages.formats.format`."""
    return [image["file_name"] for image in json.loads(_path(source).read_bytes())["images"]]


def _path(source: Path) -> Path:
    """The file of labels in a folder, as FiftyOne exports one; else the path itself."""
    if not source.is_dir():
        return source
    files = sorted(source.glob("*.json"))
    return source / FIFTYONE if len(files) != 1 else files[0]


def _label(annotation: Entry, told: Counter[str]) -> Label:
    corner = annotation["bbox"]
    return Label(
        **{name: annotation[name] for name in ("id", "image_id", "category_id")},
        point=_point(annotation, told),
        box=corner and (*corner[:2], corner[0] + corner[2], corner[1] + corner[3]),
        mask=annotation.get("segmentation") or None,
        place=f"annotation {annotation['id']}",
        is_crowd=bool(annotation["iscrowd"]),
    )


def _point(annotation: Entry, told: Counter[str]) -> tuple[float, float] | None:
    """The annotation's own point, else its one labelled key point."""
    own = given(lambda value: numbers(value, 2, "[x, y] in px"), annotation.get("point"))
    if own is not None:
        return own[0], own[1]
    values = given(_key_points, annotation.get("keypoints")) or []
    points = [(x, y) for x, y, visibility in values if visibility > 0]
    told[SEVERAL] += len(points) > 1
    return points[0] if len(points) == 1 else None


def _key_points(values: Any) -> list[tuple[float, ...]]:
    form = "keypoints, [x, y, visibility, ...]"
    count = len(values) if isinstance(values, list) else 0
    found = numbers(values, count - count % 3, form)
    return [found[start : start + 3] for start in range(0, count, 3)]


def _file(path: Path, faults: Faults, *, annotated: bool = True) -> CocoFile:
    data = _load(path)
    images = _entries(data, "images", path, faults)
    categories = _entries(data, "categories", path, faults)
    if not annotated:
        return CocoFile(images, [], categories)
    annotations = _entries(data, "annotations", path, faults)
    if not annotations and not faults:
        raise ValueError(f"{path}: there are no annotations, so there is nothing to label.")
    for key, name, known in (
        ("image_id", "images", images),
        ("category_id", "categories", categories),
    ):
        faulty = {_number(item) for item in data[name]}
        ids = {entry["id"] for entry in known}
        annotations = _referring(annotations, key, ids, faults=faults, told_of=faulty)
    return CocoFile(images, annotations, categories)


def _load(path: Path) -> Entry:
    if not path.is_file():
        raise ValueError(f"{path}: this annotation file is missing. Correct dataset in the config.")
    try:
        data = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: not a JSON file ({str(error)[:200]}).") from None
    if not isinstance(data, dict):
        raise ValueError(f"{path}: not a COCO file: its top level is no object.")
    return data


def _entries(data: Entry, name: str, path: Path, faults: Faults) -> list[Entry]:
    """The sound entries of a list, sorted by id, their values converted in place."""
    items = data.get(name)
    if not isinstance(items, list):
        raise ValueError(f"{path}: not a COCO file: there is no list {name!r}.")
    sound: dict[int, Entry] = {}
    for position, item in enumerate(items):
        fault = _converted(item, name)
        if fault:
            faults.add(f"faulty entries of {name}", f"{_place(item, name, position)} {fault}.")
        elif item["id"] in sound:
            faults.add(
                f"ids that are there twice in {name}",
                f"id {item['id']} is there twice in {name}. Ids must differ.",
            )
        else:
            sound[item["id"]] = item
    return [sound[number] for number in sorted(sound)]


def _converted(item: Any, name: str) -> str:
    """Convert the values of an entry; returns what is wrong with it, or nothing."""
    if not isinstance(item, dict):
        return f"is {shown(item)}, no object"
    missing = [key for key in KEYS[name] if key not in item]
    if missing:
        return f"has no {' and no '.join(missing)}"
    for key, convert in _conversions(name):
        try:
            item[key] = convert(item.get(key))
        except ValueError as error:
            return f"has a wrong {key}: {error}. Correct it"
    return ""


def _conversions(name: str) -> Iterable[tuple[str, Convert]]:
    return (*KEYS[name].items(), *MORE[name].items())


def _place(item: Any, name: str, position: int) -> str:
    """How a sentence names an entry: by its id, and by its place in the list."""
    number = _number(item)
    place = f"entry {position} of {name}"
    return place if number is None else f"{SINGULAR[name]} {number} ({place})"


def _number(item: Any) -> int | None:
    """The id of an entry that may be faulty."""
    found = item.get("id") if isinstance(item, dict) else None
    return found if isinstance(found, int) else None


def _referring(
    annotations: list[Entry], key: str, known: set[int], *, faults: Faults, told_of: set[Any]
) -> list[Entry]:
    """The annotations whose reference leads somewhere; told_of : ids whose entry is the fault."""
    kept = []
    for annotation in annotations:
        if annotation[key] in known:
            kept.append(annotation)
        elif annotation[key] not in told_of:
            faults.add(
                f"annotations of an unknown {key}",
                f"annotation {annotation['id']} has the unknown {key} {annotation[key]!r}.",
            )
    return kept
