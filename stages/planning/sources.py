"""Files and folders that the config names, looked for before anything runs.

Standard library alone, as in `stages.planning.plan`.
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.formats.format import AUTO, FORMATS
from stages.formats.telling import format_of
from stages.planning.links import Links
from stages.runtime.doors import opened

Values = Mapping[str, Any]
VARIABLE = re.compile(r"\$\{(\w+)\}")
NEVER = "(?!)"  # a regular expression that matches nothing


@dataclass(frozen=True, slots=True)
class Split:
    """Paths of one split of the data set; {home} stands for the home where it is drawn."""

    images: str
    annotations: str
    format: str = "coco"

    @property
    def is_coco(self) -> bool:
        """Whether the labels score as they are, without being translated."""
        return self.format == "coco"

    def below(self, home: str) -> "Split":
        """The paths of the split that is drawn in `home`; the same where it lies on disk."""
        images = self.images.replace("{home}", home)
        return Split(images, self.annotations.replace("{home}", home), self.format)


@dataclass(frozen=True, slots=True)
class Salient:
    """Where images with the mask of their one object lie; {home} as in `Split`.

    listed : file that names those that count, or None: all do.
    """

    images: str
    masks: str
    listed: str | None = None

    def below(self, home: str) -> "Salient":
        """The paths where they are drawn in `home`; the same where they lie on disk."""
        images, masks = (text.replace("{home}", home) for text in (self.images, self.masks))
        return Salient(images, masks, self.listed)


@dataclass(frozen=True, slots=True)
class Weights:
    """A weight file. sha256 : its checksum, where the stages refuse any other; else None."""

    path: str
    sha256: str | None = None


def expanded(text: str, key: str) -> str:
    """`text` with ${VARIABLES} and ~ replaced.

    Raises
    ------
    ValueError : a variable is not set.
    """
    for name in VARIABLE.findall(text):
        if not os.environ.get(name):
            raise ValueError(
                f"{key}: {text} needs the environment variable {name}, which is not set. "
                f"Set it: export {name}=/path/to/its/folder"
            )
    return os.path.expanduser(VARIABLE.sub(lambda match: os.environ[match[1]], text))


def splits(dataset: Values, links: Links) -> tuple[Split, tuple[Split, ...]]:
    """Training and held-out images; the latter are empty where there are none.

    Raises
    ------
    ValueError : a folder or a file is missing, the format cannot be told, or a link to it cannot be
        made.
    """
    if dataset["source"] == "partworld":
        home = "results/{home}/partworld"
        train, val = (
            Split(f"{home}/{name}/images", f"{home}/{name}/annotations.json")
            for name in ("train", "val")
        )
        return train, (val,)
    train = _split_on_disk(dataset["train"], "dataset.train", links)
    held_out = dataset["val"]
    return train, (_split_on_disk(held_out, "dataset.val", links),) if held_out else ()


def salient_sets(dataset: Values, links: Links) -> tuple[Salient, ...]:
    """The salient images of the data set: one set, or none.

    Raises
    ------
    ValueError : a folder or the list is missing, or a link to it cannot be made.
    """
    if dataset["source"] == "partworld":
        folder = "results/{home}/partworld/salient"
        drawn = dataset["partworld"]["salient"]
        return (Salient(f"{folder}/images", f"{folder}/masks"),) if drawn else ()
    given = dataset["salient"]
    if not given:
        return ()
    found: dict[str, str | None] = {"listed": None}
    for name in ("images", "masks", *(["listed"] if given["listed"] else [])):
        key = f"dataset.salient.{name}"
        path = expanded(given[name], key)
        if not (Path(path).is_file() if name == "listed" else Path(path).is_dir()):
            kind = "file" if name == "listed" else "folder"
            raise ValueError(f"{key}: there is no {kind} {path}. Correct the path.")
        found[name] = links.readable(path, key)
    return (Salient(str(found["images"]), str(found["masks"]), found["listed"]),)


def corrections_of(dataset: Values, links: Links) -> tuple[str, ...]:
    """The file of what people have made of labels, or nothing.

    Raises
    ------
    ValueError : it is missing, or a link to it cannot be made.
    """
    given = dataset.get("corrections")
    if not given:
        return ()
    path = expanded(given, "dataset.corrections")
    if not Path(path).is_file():
        raise ValueError(
            f"dataset.corrections: there is no file {path}. Write it with python -m "
            "stages.correct, or set null."
        )
    return (links.readable(path, "dataset.corrections"),)


def translated(train: Split, val: Sequence[Split]) -> tuple[str, ...]:
    """Names of the splits that become COCO files of ours: those of other formats.

    Held-out labels do as well where the training labels do, since classes are numbered there.
    """
    names = [] if train.is_coco else ["train"]
    return (*names, *("val" for split in val if names or not split.is_coco))


def _split_on_disk(split: Values, key: str, links: Links) -> Split:
    images = expanded(split["images"], f"{key}.images")
    annotations = expanded(split["annotations"], f"{key}.annotations")
    if not Path(images).is_dir():
        raise ValueError(f"{key}.images: there is no folder {images}. Correct the path.")
    if not Path(annotations).exists():
        raise ValueError(
            f"{key}.annotations: there is no file or folder {annotations}. Correct the path."
        )
    told = split["format"]
    name = format_of(Path(annotations)) if told == AUTO else told
    if name == "coco" and Path(annotations).is_dir():  # as FiftyOne exports it
        (file,) = opened(FORMATS[name].module).sources(Path(annotations), Path(images))
        annotations = str(file)
    return Split(
        links.readable(images, f"{key}.images"),
        links.readable(annotations, f"{key}.annotations"),
        name,
    )
