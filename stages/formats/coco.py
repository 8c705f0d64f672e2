"""COCO JSON from strangers: read once, checked entirely, with a sentence for each fault."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.formats.format import Label, Labelled


@dataclass(frozen=True, slots=True)
class CocoFile:
    """The three lists of a COCO file, sorted by id and known to be consistent."""

    images: list[dict[str, Any]]
    annotations: list[dict[str, Any]]
    categories: list[dict[str, Any]]


def read_coco(path: Path, *, annotated: bool = True) -> CocoFile:
    """Read and check a COCO instances file.

    Parameters
    ----------
    annotated : False leaves the annotations out, whatever they are, and returns none.

    Raises
    ------
    ValueError : missing file, no JSON, a list or key missing, an id twice, an annotation of an
        unknown image or category, or no annotation at all.
    """
    data = _load(path)
    images = _list(data, "images", ("id", "file_name", "height", "width"), path)
    categories = _list(data, "categories", ("id", "name"), path)
    if not annotated:
        return CocoFile(images, [], categories)
    annotations = _list(data, "annotations", ("id", "image_id", "category_id"), path)
    if not annotations:
        raise ValueError(f"{path}: there are no annotations, so there is nothing to label.")
    _check_references(annotations, "image_id", {image["id"] for image in images}, path)
    _check_references(annotations, "category_id", {entry["id"] for entry in categories}, path)
    return CocoFile(images, annotations, categories)


def labelled(annotations: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The annotations that stand for one object each: those that are not crowds."""
    return [annotation for annotation in annotations if not annotation.get("iscrowd", 0)]


def read(path: Path) -> Labelled:
    """The labels of a COCO file, for `stages.formats.format`: what each annotation holds.

    Raises
    ------
    ValueError : as `read_coco`, or a point or box is none.
    """
    file = read_coco(path)
    labels = [_label(annotation, path) for annotation in labelled(file.annotations)]
    return Labelled(file.images, labels, file.categories, len(file.annotations) - len(labels))


def file_names(data: bytes) -> list[str]:
    """Of the images in a COCO file, in its order; for `stages.formats.format`."""
    return [image["file_name"] for image in json.loads(data)["images"]]


def _label(annotation: dict[str, Any], path: Path) -> Label:
    names = ("id", "image_id", "category_id")
    point = _numbers(annotation, "point", 2, "[x, y]", path)
    box = _numbers(annotation, "bbox", 4, "[x, y, width, height]", path)
    return Label(
        **{name: annotation[name] for name in names},
        point=None if point is None else (point[0], point[1]),
        box=None if box is None else (box[0], box[1], box[0] + box[2], box[1] + box[3]),
        mask=annotation.get("segmentation") or None,
    )


def _numbers(
    annotation: dict[str, Any], key: str, count: int, form: str, path: Path
) -> list[float] | None:
    """So many finite numbers under a key; None where the key is absent, null or empty."""
    values = annotation.get(key)
    if values is None or values == []:
        return None
    if not isinstance(values, list) or len(values) != count or not all(map(_is_number, values)):
        raise ValueError(
            f"{path}: annotation {annotation['id']} has {key} {values!r}, not {form} in px. "
            "Correct or remove it."
        )
    return [float(value) for value in values]


def _is_number(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value)


def _load(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ValueError(f"{path}: this annotation file is missing. Correct dataset in the config.")
    try:
        data = json.loads(path.read_bytes())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not a JSON file ({error}).") from error
    if not isinstance(data, dict):
        raise ValueError(f"{path}: not a COCO file: its top level is no object.")
    return data


def _list(
    data: dict[str, Any], name: str, keys: tuple[str, ...], path: Path
) -> list[dict[str, Any]]:
    items = data.get(name)
    if not isinstance(items, list):
        raise ValueError(f"{path}: not a COCO file: there is no list {name!r}.")
    seen: set[int] = set()
    for number, item in enumerate(items):
        missing = [key for key in keys if not isinstance(item, dict) or key not in item]
        if missing:
            raise ValueError(f"{path}: entry {number} of {name} has no {' and no '.join(missing)}.")
        if not isinstance(item["id"], int) or item["id"] < 0:
            raise ValueError(f"{path}: {name} id {item['id']!r} is no whole number from 0 on.")
        if item["id"] in seen:
            raise ValueError(f"{path}: id {item['id']} is there twice in {name}. Ids must differ.")
        seen.add(item["id"])
    return sorted(items, key=lambda item: int(item["id"]))


def _check_references(
    annotations: list[dict[str, Any]], key: str, known: set[int], path: Path
) -> None:
    for annotation in annotations:
        if annotation[key] not in known:
            raise ValueError(
                f"{path}: annotation {annotation['id']} has the unknown {key} {annotation[key]!r}."
            )
