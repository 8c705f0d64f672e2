"""The file of what people have mended: what `correct` writes, and `prepare` lays over the labels.

COCO's lists, with two keys more: of an annotation its `status` (accepted, corrected, deleted or
added) and `instance_id`, the object that it is about. An annotation's id is that of the label; one
that was added is numbered above all of them. Standard library alone at the top.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.formats.values import shown, whole
from stages.runtime.program import Sentence

Row = dict[str, Any]
FORMAT, VERSION = "maskmill corrections", 1
STATUS = ("accepted", "corrected", "deleted", "added")
AGAIN = "Write it with python -m stages.correct."
MASKS = -(1 << 40)  # from here down are label_ids of masks that were mended


@dataclass(frozen=True, slots=True)
class Corrections:
    """What people have mended.

    images : file name by image id. entries : COCO's annotations with status and instance_id, sorted
    by (image_id, instance_id).
    """

    images: Mapping[int, str]
    entries: Sequence[Row]


def corrections_values(images: Iterable[Row], entries: Iterable[Row], info: Row) -> Row:
    """The file as JSON-able values."""
    kept = [{"id": image["id"], "file_name": image["file_name"]} for image in images]
    about = {"format": FORMAT, "version": VERSION, **info}
    return {"info": about, "images": kept, "annotations": list(entries)}


def read_corrections(path: Path) -> Corrections:
    """The file, checked.

    Raises
    ------
    ValueError : it is missing, or not what `corrections_values` gives.
    """
    try:
        whole_file = json.loads(path.read_bytes())
        about = whole_file["info"]
        if (about["format"], about["version"]) != (FORMAT, VERSION):
            raise ValueError(f"it says {about['format']!r}, version {about['version']!r}")
        images = {whole(image["id"]): str(image["file_name"]) for image in whole_file["images"]}
        entries = [_entry(entry, images) for entry in whole_file["annotations"]]
    except FileNotFoundError:
        raise ValueError(f"{path}: this file of corrections is missing. {AGAIN}") from None
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(
            f"{path}: no file of corrections ({type(error).__name__}: {error}). {AGAIN}"
        ) from None
    entries.sort(key=lambda entry: (entry["image_id"], entry["instance_id"]))
    keys = Counter((entry["image_id"], entry["instance_id"]) for entry in entries)
    twice = [key for key, count in keys.items() if count > 1]
    if twice:
        raise ValueError(f"{path}: object {twice[0][1]} of image {twice[0][0]} is there twice. "
                         f"{AGAIN}")  # fmt: skip
    return Corrections(images, entries)


def _entry(entry: Mapping[str, Any], images: Mapping[int, str]) -> Row:
    found = {key: whole(entry[key]) for key in ("image_id", "category_id")}
    found["instance_id"] = whole(entry["instance_id"], low=-(1 << 62))
    if found["image_id"] not in images:
        raise ValueError(f"image {found['image_id']} is not listed")
    if entry["status"] not in STATUS:
        raise ValueError(f"status {shown(entry['status'])} is none of {', '.join(STATUS)}")
    return {**found, "status": entry["status"], "segmentation": entry["segmentation"]}


def laid_over(
    rows: Sequence[Row], corrections: Corrections, images: Mapping[int, Row], classes: set[int]
) -> tuple[list[Row], Counter[Sentence]]:
    """The weak labels with what people have mended, and what was done to how many.

    A mask that was accepted or mended becomes a label of its object, whose other labels stay, so
    that its bag is what it was; they take the class of the mask. Where an object was deleted, its
    labels are, and what was born of a tag leaves its mask behind, deleted, so that nothing is born
    there again.

    Parameters
    ----------
    rows : of table `weak_labels`, sorted by its key. images : entries by id. classes : ids.

    Raises
    ------
    ValueError : a correction is of another image, of an unknown class, or of a faulty mask.
    """
    own = {(row["image_id"], row["instance_id"]) for row in rows}
    changes, added = dict[tuple[int, int], Row](), list[Row]()
    counts = Counter[Sentence]()
    for entry in corrections.entries:
        image = images.get(entry["image_id"])
        if image is None:
            counts["corrections of images that are not among the photographs"] += 1
            continue
        _check(entry, image, corrections.images, classes)
        key = entry["image_id"], entry["instance_id"]
        changes[key] = entry
        counts[f"labels {entry['status']}"] += 1
        if entry["status"] != "deleted" or key not in own:
            added.append(_mask_row(entry, image))
    kept = [_changed(row, changes.get((row["image_id"], row["instance_id"]))) for row in rows]
    return sorted([*kept, *added], key=lambda row: (row["image_id"], row["label_id"])), counts


def _check(entry: Row, image: Row, names: Mapping[int, str], classes: set[int]) -> None:
    place = f"correction of object {entry['instance_id']} of image {entry['image_id']}"
    if names[entry["image_id"]] != image["file_name"]:
        raise ValueError(
            f"{place}: that is {image['file_name']} here, and {names[entry['image_id']]} where it "
            "was corrected. Give the corrections of these labels."
        )
    if entry["category_id"] not in classes:
        raise ValueError(
            f"{place}: there is no class {entry['category_id']}. Give the corrections of these "
            "labels."
        )


def _mask_row(entry: Row, image: Row) -> Row:
    """A row of table `weak_labels`."""
    from stages.formats.mask_decoding import decoded_mask  # pycocotools
    from stages.geometry.masks import rle_areas, rle_boxes

    place = f"correction of object {entry['instance_id']} of image {entry['image_id']}"
    try:
        rle = decoded_mask(entry["segmentation"], image["height"], image["width"])
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None
    if not rle_areas([rle])[0]:
        raise ValueError(f"{place}: its mask has no pixels. Delete the object instead.")
    status = "corrected" if entry["status"] == "added" else entry["status"]
    ids = {"image_id": entry["image_id"], "label_id": MASKS - entry["instance_id"]}
    ids |= {"instance_id": entry["instance_id"], "bag_id": entry["instance_id"]}
    shape = {"x": None, "y": None, "box": rle_boxes([rle])[0].tolist(), "rle": rle["counts"]}
    return {**ids, "kind": "mask", "category_id": entry["category_id"], **shape, "status": status}


def _changed(row: Row, entry: Row | None) -> Row:
    if entry is None:
        return row
    if entry["status"] == "deleted":
        return {**row, "status": "deleted"}
    return {**row, "category_id": entry["category_id"]}
