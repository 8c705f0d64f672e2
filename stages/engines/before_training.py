"""What is looked at before the first step, or the first look, so that nothing fails after hours."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stages.engines.training_labels import Labels
from stages.formats.coco import CocoFile
from stages.photographs.naming import Names, image_path
from stages.photographs.orientation import RAW, Header, fitting
from stages.photographs.reading import READING, read_header
from stages.runtime.faults import Faults
from stages.settings.train import Train


def check_labels(labels: Labels, settings: Train) -> None:
    """Raise ValueError when a hook is on that finds nothing in the labels to work with."""
    if settings.copy_paste.enabled and not labels.pastable(settings):
        raise ValueError(
            f"{labels.path}: no annotation has a mask weight above 0 and a score of at least "
            f"train.copy_paste.min_score {settings.copy_paste.min_score}, so nothing can be "
            "pasted. Lower it, or set train.copy_paste.enabled: false."
        )


def check_categories(categories: Sequence[Mapping[str, Any]], split: CocoFile, path: Path) -> None:
    """Raise ValueError when a class that a detector learns is unknown to the held-out file.

    Parameters
    ----------
    categories : id and name of the classes that it learns. path : of `split`.
    """
    known = {entry["id"]: entry["name"] for entry in split.categories}
    for category in categories:
        if known.get(category["id"]) != category["name"]:
            raise ValueError(
                f"{path}: class {category['id']} is {known.get(category['id'])!r} here, but "
                f"{category['name']!r} in the labels. Both files need the same categories."
            )


def check_paths(labels: Labels, folder: Path, *, follow_links: bool) -> None:
    """Look for the training images before the first step.

    Raises
    ------
    ValueError : some are missing, or lead outside their folder; tells all.
    """
    faults, names = Faults(), Names(folder)
    for image_id in labels.image_ids:
        name = labels.image(image_id)["file_name"]
        with faults.caught("training images that cannot be read", f"image {image_id}"):
            if not image_path(folder, name, follow_links=follow_links).is_file():
                raise ValueError(f"{folder / name} is missing; {names.hint(name)}")
    faults.check()


def check_images(
    split: CocoFile, folder: Path, reading: Mapping[str, Any], *, follow_links: bool
) -> None:
    """Look at the headers of all held-out images before a network looks at the first.

    Their names are set to how the files are called, and how they are read to what `reading` says:
    keys `orientation` and `depth` of section `prepare`.

    Raises
    ------
    ValueError : some are missing, undecodable, or of another size than the file says; tells all.
    """
    faults, names = Faults(), Names(folder)
    for entry in split.images:
        with faults.caught("held-out images that cannot be taken", f"image {entry['id']}"):
            entry["file_name"] = names.find(entry["file_name"]) or entry["file_name"]
            path = image_path(folder, entry["file_name"], follow_links=follow_links)
            turn = _turn(entry, read_header(path, path), reading, path)
            entry[READING] = {"orientation": turn, "depth": reading.get("depth", "auto")}
    faults.check()


def _turn(entry: dict[str, Any], header: Header, reading: Mapping[str, Any], path: Path) -> int:
    """Which way up an image has the size that its entry says."""
    size = entry["height"], entry["width"]
    try:
        return fitting(header, size, reading.get("orientation", "auto")) or RAW
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
