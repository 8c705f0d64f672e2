"""labelme: a file beside each photograph, as LabelMe opens it.

Out goes `<name>.json` for each photograph, folders in its name kept: laid over the folder of
photographs, each file finds its own. Rings are px with two digits; LabelMe too counts from the
upper left corner. Shapes of one object share a `group_id`, its number in the picture; a hole is
joined to its ring by a cut. An object without a trusted mask is a rectangle. `description` says how
sure the class is and which annotation it was, since shapes have no keys for that.
"""

import json
from pathlib import Path, PurePosixPath
from typing import Any

from stages.formats.pseudo_label_file import Entry, PseudoLabelFile
from stages.formats.rings import box_ring, plain, rings_of
from stages.formats.writer import Counts

VERSION = "5.5.0"  # of LabelMe, whose keys these are


def write(labels: PseudoLabelFile, folder: Path) -> Counts:
    """Write the labels; see `stages.formats.writer`."""
    stems = labels.stems()
    names = {entry["id"]: entry["name"] for entry in labels.categories}
    counts: Counts = {"images": 0, "objects": 0, "shapes": 0, "rectangles in place of a mask": 0}
    for image, entries in labels.by_image():
        objects = enumerate(entries, start=1)
        shapes = [shape for n, entry in objects for shape in shapes_of(entry, names, n)]
        path = folder / f"{stems[image['id']]}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        page = page_of(image, shapes)
        path.write_text(json.dumps(page, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        counts["images"] += 1
        counts["objects"] += len(entries)
        counts["shapes"] += len(shapes)
        counts["rectangles in place of a mask"] += sum(
            not entry["mask_weight"] for entry in entries
        )
    return counts


def page_of(image: Entry, shapes: list[Entry]) -> Entry:
    """The file of one photograph."""
    return {
        "version": VERSION,
        "flags": {},
        "shapes": shapes,
        "imagePath": PurePosixPath(image["file_name"]).name,
        "imageData": None,
        "imageHeight": image["height"],
        "imageWidth": image["width"],
    }


def shapes_of(entry: Entry, names: dict[int, str], number: int) -> list[Entry]:
    """The shapes of one object, at least one; number: of the object in the picture, from 1."""
    rings = rings_of(entry)
    shared: dict[str, Any] = {
        "label": names[entry["category_id"]],
        "group_id": number if len(rings) > 1 else None,
        "description": f"score {entry['score']:.4f}, annotation {entry['id']}",
        "shape_type": "polygon" if rings else "rectangle",
        "flags": {},
        "mask": None,
    }
    corners = box_ring(entry)[::2]  # of a rectangle: the first, and the one opposite
    return [{**shared, "points": plain(points)} for points in rings or [corners]]
