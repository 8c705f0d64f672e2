"""YOLO text files of Ultralytics: one a photograph, an object each line; out comes `Labelled`.

A line is `class cx cy w h` (a box), `class x1 y1 x2 y2 x3 y3 …` (an outline), or where kpt_shape of
the data.yaml is [1, 2] or [1, 3], `class cx cy w h x y [visibility]` (a box and a point). Classes
count from 0, and their ids are kept. A photograph without a file, or with an empty one, has no
objects.

Coordinates are shares of the image's sides, from its upper left corner: (0, 0, 1, 1) is the whole
image, and the centre of the first of 8 px is at 0.5 / 8. They stay shares (`is_relative`); centre
and sides of boxes become x0, y0, x1, y1.

Departure: lines of four corners are read as outlines, which oriented boxes (OBB) look like.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stages.formats.assembly import Assembly
from stages.formats.format import Labelled
from stages.formats.values import LARGEST_CLASS, number, whole
from stages.formats.yolo_classes import Classes, classes_file, classes_in
from stages.formats.yolo_dataset import Dataset, dataset_at, is_label_file, labels_folder, texts_in
from stages.runtime.faults import Faults

BOX = 4  # cx cy w h
OUTLINE = 6  # coordinates at least
LOW, HIGH = -0.01, 1.01  # of a share; what Ultralytics takes for rounding
FORMS = (
    "Write the class, then cx cy w h, or the corners of an outline as x y, three or more; with "
    "kpt_shape in the data.yaml, cx cy w h and the keypoint."
)
CORRECT = "Correct dataset in the config."
UNLABELLED = "photographs without a label file, which have no labels"
UNNAMED = "classes without a name, called by their number"


def read(source: Path, images: Path, faults: Faults) -> Labelled:
    """The labels of the photographs in a folder; see `stages.formats.format`.

    Parameters
    ----------
    source : data.yaml, or a folder of label files.

    Raises
    ------
    ValueError : a file or folder is missing, there is no label file, or the names of the classes
        are faulty; names it and the remedy.
    """
    try:
        return _read(source, images, faults)
    except OSError as error:
        raise ValueError(
            f"{error.filename or source}: cannot be read ({error.strerror or error}). {CORRECT}"
        ) from error


def sources(source: Path, images: Path) -> Sequence[Path]:
    """The file of the classes and all text files of the labels."""
    labels = labels_folder(source, images)
    classes = classes_file(source, labels)
    texts = [labels / name for name in texts_in(labels)]
    return list(dict.fromkeys(([] if classes is None else [classes]) + texts)) or [source]


def file_names(source: Path, images: Path) -> Sequence[str]:
    """Of all photographs in the folder: those without a label file are images without objects."""
    photographs = dataset_at(source, images).photographs
    return [name for names in photographs.values() for name in names]


def _read(source: Path, images: Path, faults: Faults) -> Labelled:
    if not source.exists():
        raise ValueError(f"{source}: there is no such file or folder. {CORRECT}")
    if not images.is_dir():
        raise ValueError(f"{images}: there is no such folder of photographs. {CORRECT}")
    dataset = dataset_at(source, images)
    classes = classes_in(classes_file(source, dataset.labels))
    files = [name for name in dataset.texts if is_label_file(name) or dataset.of_text(name)]
    if not files:
        raise ValueError(
            f"{dataset.labels}: there is no label file in this folder, such as a.txt for a "
            "photograph a.jpg. Give the folder of these as the labels."
        )
    reader = _Reader(dataset, classes, Assembly(faults))
    reader.take_photographs()
    for name in files:
        with faults.caught("label files at fault", name):
            reader.take(name, images)
    return reader.labelled(others=len(dataset.texts) - len(files))


@dataclass
class _Reader:
    """Puts label files into an assembly, one after the other."""

    dataset: Dataset
    classes: Classes
    assembly: Assembly
    images: dict[str, int] = field(default_factory=dict)  # ids by file name
    taken: dict[str, str] = field(default_factory=dict)  # label files by photograph
    used: set[int] = field(default_factory=set)  # classes
    outlines: int = 0
    of_four_corners: int = 0

    def take_photographs(self) -> None:
        """All photographs as images, be they labelled or not."""
        for names in self.dataset.photographs.values():
            for name in names:
                with self.assembly.faults.caught("photographs at fault", ascii(name)):
                    self.images[name] = self._image(name)

    def _image(self, name: str) -> int:
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise ValueError("the name of this file is not UTF-8. Rename it.") from error
        return self.assembly.image(name)

    def take(self, name: str, images: Path) -> None:
        """The lines of one label file."""
        photograph = self._photograph(name, images)
        lines = _decoded(self.dataset.labels / name).splitlines()
        seen = set[tuple[str, ...]]()
        for index, line in enumerate(lines, start=1):
            words = tuple(line.split())
            if words in seen:  # Ultralytics takes it once, too
                self.assembly.left_out["lines that stand twice in a file"] += 1
            elif words and photograph in self.images:
                place = f"{name}: line {index}"
                with self.assembly.faults.caught("lines at fault", place):
                    self._take_line(words, self.images[photograph], place)
                seen.add(words)

    def labelled(self, others: int) -> Labelled:
        """All that was taken; `others` are text files that are no label files."""
        names = self.classes.names
        if names is None:
            names = {index: str(index) for index in self.used}
        four_alone = self.outlines if self.outlines == self.of_four_corners else 0
        # adding a Counter leaves out what counts 0
        self.assembly.told += Counter(
            {
                UNLABELLED: len(self.images.keys() - self.taken.keys()),
                UNNAMED: 0 if self.classes.are_named else len(names),
                "outlines, all of four corners as oriented boxes have, as masks": four_alone,
            }
        )
        self.assembly.left_out += Counter({"text files that are no label files": others})
        return self.assembly.labelled(names)

    def _photograph(self, name: str, images: Path) -> str:
        found = self.dataset.of_text(name)
        if not found:
            raise ValueError(
                f"there is no photograph of this name, such as {name[:-4]}.jpg, in {images}. "
                "Add it, or remove the label file."
            )
        if len(found) > 1:
            raise ValueError(f"{' and '.join(found)} have this name. Rename or remove one.")
        other = self.taken.setdefault(found[0], name)
        if other != name:
            raise ValueError(f"{other} is a label file of {found[0]}, too. Remove one.")
        return found[0]

    def _take_line(self, words: Sequence[str], image: int, place: str) -> None:
        try:
            index, values = whole(number(words[0]), 0, LARGEST_CLASS), [*map(number, words[1:])]
        except ValueError as error:
            raise ValueError(f"{error}. Correct it, or remove the line.") from None
        category, shape = self._category(index), self._shape(values)
        self.used.add(category)
        self.assembly.label(image, category, is_relative=True, place=place, **shape)

    def _category(self, index: int) -> int:
        names = self.classes.names
        if names is not None and index not in names:
            raise ValueError(
                f"class {index} is not among the {len(names)} classes, which count from 0. "
                "Correct it, or add its name."
            )
        return index

    def _shape(self, values: list[float]) -> dict[str, Any]:
        """Attributes of a label by the numbers behind its class."""
        count, keypoint = len(values), self.classes.keypoint
        if keypoint:
            if count != BOX + keypoint:
                raise ValueError(f"{count} numbers after the class, not {BOX + keypoint}. {FORMS}")
            return {"box": _box(values[:BOX]), "point": self._point(*values[BOX:])}
        if count == BOX + 1 and 0 <= values[BOX] <= 1:
            self.assembly.told["confidences after boxes, which are not read"] += 1
            return {"box": _box(values[:BOX])}
        if count == BOX:
            return {"box": _box(values)}
        if count < OUTLINE or count % 2:
            raise ValueError(f"{count} numbers after the class. {FORMS}")
        self.outlines += 1
        self.of_four_corners += count == 8
        return {"mask": [_shares(values)]}

    def _point(self, x: float, y: float, visibility: float = 1) -> tuple[float, ...] | None:
        """A keypoint; None where it is not given, which (0, 0) and numbers below 0 say, too."""
        if visibility == 0 or min(x, y) < 0 or x == y == 0:
            self.assembly.left_out["keypoints that are not visible"] += 1
            return None
        return tuple(_shares([x, y]))


def _box(values: Sequence[float]) -> tuple[float, ...]:
    x, y, width, height = _shares(values)
    if width <= 0 or height <= 0:
        raise ValueError(f"the box has sides of {width} and {height}. Correct or remove it.")
    return (x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def _shares(values: Sequence[float]) -> list[float]:
    """The values themselves, which are not px."""
    for value in values:
        if not LOW <= value <= HIGH:
            raise ValueError(
                f"{value:g} is no share of a side. Coordinates must be divided by the width and "
                "height of the image, from 0 to 1."
            )
    return list(values)


def _decoded(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError("not text in UTF-8. Save it as UTF-8.") from error
    except OSError as error:
        raise ValueError(f"cannot be read ({error.strerror}). Correct or remove it.") from error
