"""Files of a YOLO data set: where its label files are, and which photograph each belongs to.

Ultralytics finds the labels of `…/images/train/a.jpg` in `…/labels/train/a.txt`: the last `images`
of the path becomes `labels`. In: the source of the labels and the folder of photographs. Out: their
names. Links to folders are not followed, so that nothing outside these folders is opened; names
that begin with a dot are hidden. Standard library alone.
"""

import os
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

IMAGES, LABELS = "images", "labels"
PHOTOGRAPHS = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
NO_LABELS = re.compile(  # lists of photographs, such as train2017.txt, and notes
    r"(predefined_)?classes|labels|notes|readme.*|(autosplit_)?(train|val|valid|trainval|test)"
    r"(-dev)?(\d{4})?"
)


@dataclass(frozen=True, slots=True)
class Dataset:
    """Names of files, sorted.

    Attributes
    ----------
    labels : folder of the label files. texts : paths of the text files in it.
    photographs : paths in the folder of the photographs, by path without suffix.
    """

    labels: Path
    texts: Sequence[str]
    photographs: Mapping[str, Sequence[str]]

    def of_text(self, name: str) -> Sequence[str]:
        """Photographs that a text file may belong to: one, or there is a fault."""
        stem = _stem(name)
        return self.photographs.get(stem) or self.photographs.get(_swapped(stem), ())


def is_label_file(name: str) -> bool:
    """Whether a text file without a photograph should have one: not lists and notes."""
    return NO_LABELS.fullmatch(PurePosixPath(name).stem.lower()) is None


def dataset_at(source: Path, images: Path) -> Dataset:
    """The label files at a source, and the photographs in a folder."""
    labels = labels_folder(source, images)
    names = _names(images)
    photographs: dict[str, list[str]] = {}
    for name in names:
        if name.lower().endswith(PHOTOGRAPHS):
            photographs.setdefault(_stem(name), []).append(name)
    texts = [name for name in (names if labels == images else _names(labels)) if _is_text(name)]
    return Dataset(labels, texts, photographs)


def texts_in(labels: Path) -> list[str]:
    """Paths of the text files in a folder, sorted."""
    return [name for name in _names(labels) if _is_text(name)]


def labels_folder(source: Path, images: Path) -> Path:
    """The folder of the label files of the photographs in `images`.

    That beside `images` by Ultralytics' rule, where `source` is a data.yaml or holds that folder;
    else `labels` beside the data.yaml, as `convert` writes it, which may lie far from the
    photographs; else `source`, or where it is a file, `images`.
    """
    beside, folder = _beside(images), source if source.is_dir() else source.parent
    if beside and (not source.is_dir() or folder.absolute() in beside.absolute().parents):
        return beside
    has_labels = (folder / LABELS).is_dir() and not any(map(_is_text, _names(images)))
    if has_labels and not (folder / IMAGES).is_dir():
        return folder / LABELS
    return source if source.is_dir() else images


def _beside(images: Path) -> Path | None:
    if IMAGES not in images.parts:
        return None
    last = len(images.parts) - 1 - images.parts[::-1].index(IMAGES)
    beside = Path(*images.parts[:last], LABELS, *images.parts[last + 1 :])
    return beside if beside.is_dir() else None


def _names(folder: Path) -> list[str]:
    """Paths of all files in a folder, sorted; none where there is no such folder."""
    names = []
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        inside = Path(place).relative_to(folder)
        names += [(inside / name).as_posix() for name in files if not name.startswith(".")]
    return sorted(names)


def _is_text(name: str) -> bool:
    return name.lower().endswith(".txt")


def _stem(name: str) -> str:
    """A path without suffix, in the form of Unicode that is one for all file systems."""
    return unicodedata.normalize("NFC", os.path.splitext(name)[0])


def _swapped(stem: str) -> str:
    """The path of the photograph where its folder is inside that of all, as in train/images."""
    parts = stem.split("/")
    for index in range(len(parts) - 2, -1, -1):
        if parts[index] == LABELS:
            return "/".join([*parts[:index], IMAGES, *parts[index + 1 :]])
    return stem
