"""The file that `export` has written, as writers of other formats want it: image by image.

Images and classes are held, annotations are read as they are asked for, so that memory does not
grow with them.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from stages.formats.exported import entries_of
from stages.formats.writer import FROM_ONE
from stages.geometry.masks import rles_to_masks

Entry = dict[str, Any]
HINT = "Give results/<run>/<variant>/export/pseudo_labels.json as export has written it."


@dataclass(frozen=True, slots=True)
class PseudoLabelFile:
    """A file of pseudo-labels.

    path : the file. info : COCO's, with what the labels were made of. images, categories : COCO's
    entries; categories sorted by id, renumbered where that was asked for. numbers : of each class
    in the file, its number here.
    """

    path: Path
    info: Entry
    images: tuple[Entry, ...]
    categories: tuple[Entry, ...]
    numbers: dict[int, int]

    def annotations(self) -> Iterator[Entry]:
        """The annotations, one at a time, in the order of the file.

        Raises
        ------
        ValueError : one is of a class that the file does not list.
        """
        for name, entry in entries_of(self.path):
            if name == "annotations":
                number = self.numbers.get(entry["category_id"])
                if number is None:
                    raise ValueError(
                        f"{self.path}: annotation {entry['id']} is of class "
                        f"{entry['category_id']}, which the file does not list. {HINT}"
                    )
                yield entry | {"category_id": number}

    def by_image(self) -> Iterator[tuple[Entry, list[Entry]]]:
        """Each image with its annotations, those without any as well.

        Raises
        ------
        ValueError : the annotations are not in the order of the images.
        """
        waiting = iter(self.images)
        for image_id, group in groupby(self.annotations(), key=lambda entry: entry["image_id"]):
            entries = list(group)
            for image in waiting:
                if image["id"] == image_id:
                    yield image, entries
                    break
                yield image, []
            else:
                raise ValueError(
                    f"{self.path}: the annotations of image {image_id} are not in the order of the "
                    f"images. {HINT}"
                )
        yield from ((image, []) for image in waiting)

    def stems(self) -> dict[int, str]:
        """By image: its path inside the folder of photographs without the suffix, checked.

        Raises
        ------
        ValueError : a path leaves the folder, has a sign that no file of labels can hold, or is
            another's but for the suffix.
        """
        found: dict[str, str] = {}
        for image in self.images:
            name = image["file_name"]
            stem = _stem(name)
            other = found.setdefault(stem, name)
            if other != name:
                raise ValueError(
                    f"images {other} and {name} differ in their suffix alone, so that both would "
                    f"be labelled in one file {stem}. Rename one, or write coco_polygons."
                )
        return {image["id"]: _stem(image["file_name"]) for image in self.images}


def opened_labels(path: Path, category_ids: str) -> PseudoLabelFile:
    """The images and classes of a file that `export` has written.

    Parameters
    ----------
    category_ids : keep, or from_one: 1, 2, ... in the order of the file's own ids.

    Raises
    ------
    ValueError : it is missing, or not such a file.
    """
    heads: dict[str, list[Entry]] = {"images": [], "categories": []}
    try:
        for name, entry in entries_of(path):
            if name not in heads:
                break
            heads[name].append(entry)
        return _labels(path, heads["images"], heads["categories"], category_ids)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        said = str(error).removeprefix(f"{path}: ")
        raise ValueError(f"{path}: no file of pseudo-labels ({said[:300]}). {HINT}") from None


def mask_of(entry: Entry) -> np.ndarray | None:
    """The pixels of an annotation, (height, width) uint8; None where its mask is not trusted."""
    if not entry["mask_weight"]:
        return None
    return np.asarray(rles_to_masks([entry["segmentation"]])[0])


def box_of(entry: Entry) -> tuple[float, float, float, float]:
    """The box of an annotation, xyxy px."""
    x, y, width, height = entry["bbox"]
    return x, y, x + width, y + height


def _labels(path: Path, images: list[Entry], classes: list[Entry], ids: str) -> PseudoLabelFile:
    if not images or not classes:
        raise ValueError("it lists no images, or no classes, one to a line")
    classes = sorted(classes, key=lambda entry: entry["id"])
    own = [entry["id"] for entry in classes]
    numbers = {old: new if ids == FROM_ONE else old for new, old in enumerate(own, start=1)}
    renumbered = tuple(entry | {"id": numbers[entry["id"]]} for entry in classes)
    return PseudoLabelFile(path, _info(path), tuple(images), renumbered, numbers)


def _info(path: Path) -> Entry:
    """What the first line says, which is an object that goes on."""
    with path.open(encoding="utf-8") as file:
        head: Entry = json.loads(file.readline().rstrip().rstrip(",") + "}")
    return dict(head["info"])


def _stem(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.name:
        raise ValueError(
            f"image {name!r} is not inside the folder of photographs, so that its labels would be "
            "written elsewhere. Name it by its path inside that folder."
        )
    if not name.isprintable():
        raise ValueError(f"image {name!r}: a name with control characters. Rename it.")
    return str(path.with_suffix(""))
