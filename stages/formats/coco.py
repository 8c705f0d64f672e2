"""COCO JSON from strangers: read once, checked entirely, with a sentence for each fault.

Coordinates are px from the image's upper left corner, as everywhere here: COCO's polygons and boxes
are of the same grid, in which the first pixel's centre is (0.5, 0.5). COCO has no place for a
point but `keypoints`, so an annotation with one labelled key point has a point; our own key `point:
[x, y]` goes before it. Values of another type than COCO's are converted where that is unambiguous:
"120" is 120, a missing size is that of the photograph.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.formats.coco_counts import COUNTS, LISTS, miscount
from stages.formats.coco_entries import Entry, number_of, sound_entries
from stages.formats.format import Label, Labelled
from stages.formats.values import (
    given,
    numbers,
)
from stages.runtime.faults import Faults

FIFTYONE = "labels.json"  # in the folder that FiftyOne exports
OF_ANNOTATION = {"image_id", "category_id"}  # keys that nothing else in a file has
SEVERAL = "annotations with several key points, which are no point"


@dataclass(frozen=True, slots=True)
class CocoFile:
    """The three lists of a COCO file, sorted by id and known to be consistent."""

    images: list[Entry]
    annotations: list[Entry]
    categories: list[Entry]


def read_coco(
    path: Path, *, annotated: bool = True, kept: Callable[[Entry], Entry] | None = None
) -> CocoFile:
    """Read and check a COCO instances file for training or scoring: all images have a size.

    Parameters
    ----------
    annotated : False leaves the annotations out, whatever they are, and returns none.
    kept : what stays of an annotation, asked as soon as it is read: of a large file the rest would
        be most of the memory. It keeps the ids, whatever they are.

    Raises
    ------
    ValueError : missing file, no JSON, a list or key missing, a value of a wrong type, an id twice,
        an annotation of an unknown image or category, or no annotation at all; tells all faults.
    """
    faults = Faults(path)
    file = _file(path, faults, annotated=annotated, kept=kept)
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
    try:
        own = given(lambda value: numbers(value, 2, "[x, y] in px"), annotation.get("point"))
        values = given(_key_points, annotation.get("keypoints")) if own is None else None
    except ValueError as error:
        raise ValueError(f"{error}. Correct or remove it.") from None
    if own is not None:
        return own[0], own[1]
    points = [(x, y) for x, y, visibility in values or [] if visibility > 0]
    told[SEVERAL] += len(points) > 1
    return points[0] if len(points) == 1 else None


def _key_points(values: Any) -> list[tuple[float, ...]]:
    form = "keypoints, [x, y, visibility, ...]"
    count = len(values) if isinstance(values, list) else 0
    found = numbers(values, count - count % 3, form)
    return [found[start : start + 3] for start in range(0, count, 3)]


def _file(
    path: Path,
    faults: Faults,
    *,
    annotated: bool = True,
    kept: Callable[[Entry], Entry] | None = None,
) -> CocoFile:
    data = _load(path, kept)
    if COUNTS in data:
        check_counts(data, path)
    images = sound_entries(data, "images", path, faults)
    categories = sound_entries(data, "categories", path, faults)
    if not annotated:
        return CocoFile(images, [], categories)
    annotations = sound_entries(data, "annotations", path, faults)
    if not annotations and not faults:
        raise ValueError(f"{path}: there are no annotations, so there is nothing to label.")
    for key, name, known in (
        ("image_id", "images", images),
        ("category_id", "categories", categories),
    ):
        faulty = {number_of(item) for item in data[name]}
        ids = {entry["id"] for entry in known}
        annotations = _referring(annotations, key, ids, faults=faults, told_of=faulty)
    return CocoFile(images, annotations, categories)


def check_counts(data: Entry, path: Path) -> None:
    """Raise ValueError where a file of ours has other entries than it says."""
    seen = {name: len(data[name]) for name in LISTS if isinstance(data.get(name), list)}
    fault = miscount(data[COUNTS], seen) if isinstance(data[COUNTS], dict) else ""
    if fault:
        raise ValueError(
            f"{path}: {fault}. It lost or got some since: remove its key {COUNTS} if that was "
            "meant, else write it anew."
        )


def _load(path: Path, kept: Callable[[Entry], Entry] | None = None) -> Entry:
    def hook(entry: Entry) -> Entry:
        return kept(entry) if kept and OF_ANNOTATION <= entry.keys() else entry

    if not path.is_file():
        raise ValueError(f"{path}: this annotation file is missing. Correct dataset in the config.")
    try:
        data = json.loads(path.read_bytes(), object_hook=hook if kept else None)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{path}: not a JSON file ({str(error)[:200]}). Write it anew, or correct its path."
        ) from None
    if not isinstance(data, dict):
        raise ValueError(f"{path}: not a COCO file: its top level is no object. Give another.")
    return data


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
