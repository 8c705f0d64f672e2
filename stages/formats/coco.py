"""COCO JSON from strangers: read once, checked entirely, with a sentence for each fault."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


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


def point_of(annotation: dict[str, Any], path: Path) -> tuple[float, float]:
    """The annotation's `point: [x, y]`, px.

    Raises
    ------
    ValueError : it has none, or not two finite numbers.
    """
    point = annotation.get("point")
    if not isinstance(point, list) or len(point) != 2 or not all(map(_is_number, point)):
        raise ValueError(
            f"{path}: annotation {annotation['id']} has point {point!r}, not [x, y]. Add it, or "
            "leave `point` out to have one drawn in the mask."
        )
    return float(point[0]), float(point[1])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


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
