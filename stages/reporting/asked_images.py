"""Which image a person asks for: by its id, by the name of its file, by one of its annotations."""

import difflib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow.compute as pc

from stages.runtime.program import Sentence
from stages.tables.categories import CATEGORIES
from stages.tables.images import IMAGES
from stages.tables.table import read_table
from stages.tables.weak_labels import WEAK_LABELS

FEW = 5  # candidates that a sentence names


def image_asked(images: Path, asked: str) -> int:
    """Id of the image that `--image` names.

    Parameters
    ----------
    images : file of table `images`.
    asked : an id, or a file's name: its path in the image folder, or as much of its end, or of what
        leads to it, as leaves one image alone.

    Raises
    ------
    ValueError : there is none, or there are several.
    """
    table = read_table(images, IMAGES, columns=["image_id", "file_name"])
    ids, names = table.column("image_id").to_pylist(), table.column("file_name").to_pylist()
    if asked.isdecimal() and int(asked) in set(ids):
        return int(asked)
    found = [ids[place] for place in named(names, asked)]
    if len(found) == 1:
        return int(found[0])
    known = dict(zip(ids, names, strict=True))
    raise ValueError(_several(asked, found, known) if found else _none(asked, names))


def named(names: Sequence[str], asked: str) -> list[int]:
    """Places of the names that `asked` means: that very name, else what ends alike, by whole parts.

    Parameters
    ----------
    names : paths in the image folder. asked : such a path, a part of its end, or a longer one.
    """
    if asked in names:
        return [names.index(asked)]
    parts = PurePosixPath(asked).parts
    split = [PurePosixPath(name).parts for name in names]
    shorter = [k for k, own in enumerate(split) if own[-len(parts) :] == parts]
    longer = [k for k, own in enumerate(split) if parts[-len(own) :] == own]
    most = max((len(split[k]) for k in longer), default=0)
    return shorter or [k for k in longer if len(split[k]) == most]


def _several(asked: str, found: Sequence[int], names: dict[int, str]) -> Sentence:
    some = ", ".join(f"{names[number]} (image {number})" for number in found[:FEW])
    more = f" and {len(found) - FEW} more" if len(found) > FEW else ""
    return (
        f"--image {asked}: {len(found)} images end so: {some}{more}. Give more of the path, or an "
        "id."
    )


def _none(asked: str, names: Sequence[str]) -> Sentence:
    if asked.isdecimal():
        return f"there is no image {asked} among the {len(names)} of this run."
    base = {PurePosixPath(name).name: name for name in names}
    near = difflib.get_close_matches(PurePosixPath(asked).name, base, FEW)
    like = f"; like it are {', '.join(base[name] for name in near)}" if near else ""
    return f"there is no image {asked} among the {len(names)} of this run{like}."


def annotation_asked(
    weak_labels: Path, number: int, image_id: int | None
) -> tuple[int, int | None]:
    """Image, and instance, that `--annotation` names.

    Parameters
    ----------
    weak_labels : file of that table.
    number : id of an annotation of the user's file, which is that of an instance; below 0, of one
        that was born of a tag, which is counted within its image.
    image_id : of the image, where it is known.

    Returns
    -------
    image_id, and instance_id; None of a tag, which is of no one object.

    Raises
    ------
    ValueError : there is none, or it is in several images.
    """
    if number < 0:
        if image_id is None:
            raise ValueError(
                f"--annotation {number}: ids below 0 are counted within each image. Name it, too, "
                "with --image."
            )
        return image_id, number
    columns = ("image_id", "label_id", "instance_id")
    table = read_table(weak_labels, WEAK_LABELS, columns=columns)
    for name in ("instance_id", "label_id"):
        rows = table.filter(pc.equal(table.column(name), number))
        if image_id is not None:
            rows = rows.filter(pc.equal(rows.column("image_id"), image_id))
        images = np.unique(rows.column("image_id").to_numpy()).tolist()
        if len(images) > 1:
            some = ", ".join(map(str, images[:FEW]))
            raise ValueError(
                f"--annotation {number}: {len(images)} images have one of that id, such as {some}. "
                "Name the image, too, with --image."
            )
        if images:
            return images[0], rows.column("instance_id")[0].as_py()
    where = "" if image_id is None else f" in image {image_id}"
    raise ValueError(f"--annotation {number}: there is none of that id{where}. See {weak_labels}.")


def class_asked(categories: Path, name: str) -> int:
    """Id of the class that `--class` names.

    Raises
    ------
    ValueError : there is none.
    """
    rows = read_table(categories, CATEGORIES).to_pylist()
    found = [row["category_id"] for row in rows if row["name"] == name]
    if not found:
        known = [row["name"] for row in rows]
        near = difflib.get_close_matches(name, known, FEW) or known[: 4 * FEW]
        raise ValueError(f"--class {name}: no class has that name. Take one of {', '.join(near)}.")
    return int(found[0])


def first_images(weak_labels: Path, count: int) -> list[int]:
    """The first image ids that have weak labels, to name in a sentence."""
    table = read_table(weak_labels, WEAK_LABELS, columns=["image_id"])
    ids: list[int] = pc.unique(table.column("image_id")).to_pylist()
    return ids[:count]
