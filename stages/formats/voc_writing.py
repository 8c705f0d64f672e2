"""voc: Pascal VOC's folders, boxes as XML and masks as pictures of numbers.

Out go, folders in names kept:

    Annotations/<name>.xml          a box and a class for each object
    SegmentationObject/<name>.png   value k: the k-th object of the XML file; 0: none
    SegmentationClass/<name>.png    value k: the k-th line of labelmap.txt, from 0 (background)
    ImageSets/Main, ImageSets/Segmentation: default.txt, the names
    labelmap.txt                    class:r,g,b::, as CVAT and Datumaro read it

VOC's pixels count from 1 and its boxes hold their last pixel, in whole numbers: xmin = x0 + 1 and
xmax = x1 of ours, a box that a person gave made wider to whole pixels. `filename` has the folders
of the name too, and `folder` is empty, as CVAT writes and Datumaro reads it. A pixel belongs to one
object: large ones are painted first, so that small ones lie on top, and what is covered is counted.
A byte numbers 254 objects, since 255 is VOC's "void": those behind have a box and no pixels, as
have objects without a trusted mask. Scores are lost.
"""

import math
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
from PIL import Image

from stages.formats.pseudo_label_file import Entry, PseudoLabelFile, box_of, mask_of
from stages.formats.writer import Counts

MOST = 254  # objects in a picture, and classes
BACKGROUND = "background"
PICTURES = ("SegmentationObject", "SegmentationClass")
SETS = ("Main", "Segmentation")
LOST = ("boxes without a trusted mask", "objects beyond 254", "pixels under others", "hidden")


def write(labels: PseudoLabelFile, folder: Path) -> Counts:
    """Write the labels; see `stages.formats.writer`."""
    stems = labels.stems()
    names = {entry["id"]: entry["name"] for entry in labels.categories}
    places = {number: place for place, number in enumerate(names, start=1)}
    _write_sets(folder, list(stems.values()), list(names.values()))
    counts: Counts = {"images": 0, "objects": 0, **dict.fromkeys(LOST, 0)}
    for image, entries in labels.by_image():
        objects = painted(image, entries, counts)
        classes = np.array([0, *(places[entry["category_id"]] for entry in entries[:MOST])])
        stem = stems[image["id"]]
        _write_xml(folder / "Annotations" / f"{stem}.xml", page_of(image, entries, names))
        for kind, values in zip(PICTURES, (objects, classes[objects]), strict=True):
            _write_picture(folder / kind / f"{stem}.png", values)
        counts["images"] += 1
        counts["objects"] += len(entries)
    return counts


def painted(image: Entry, entries: list[Entry], counts: Counts) -> np.ndarray:
    """The numbers of the objects in a picture, (height, width) uint8; what is lost is counted."""
    picture = np.zeros((image["height"], image["width"]), np.uint8)
    order = sorted(range(len(entries)), key=lambda number: -entries[number]["area"])
    areas: dict[int, int] = {}
    for number in order:
        mask = mask_of(entries[number]) if number < MOST else None
        if mask is not None:
            picture[mask > 0] = number + 1
            areas[number + 1] = int(np.count_nonzero(mask))
    left = np.bincount(picture.reshape(-1), minlength=MOST + 1)
    values = (
        sum(not entry["mask_weight"] for entry in entries[:MOST]),
        max(len(entries) - MOST, 0),
        sum(area - int(left[value]) for value, area in areas.items()),
        sum(not left[value] for value in areas),
    )
    for name, value in zip(LOST, values, strict=True):
        counts[name] += value
    return picture


def page_of(image: Entry, entries: list[Entry], names: dict[int, str]) -> ET.Element:
    """The XML of one photograph."""
    root = ET.Element("annotation")
    _add(root, folder="", filename=image["file_name"])
    _add(ET.SubElement(root, "source"), database="Maskmill")
    _add(ET.SubElement(root, "size"), width=image["width"], height=image["height"], depth=3)
    _add(root, segmented=int(any(entry["mask_weight"] for entry in entries[:MOST])))
    for entry in entries:
        node = ET.SubElement(root, "object")
        _add(node, name=names[entry["category_id"]], pose="Unspecified", truncated=0, difficult=0)
        x0, y0, x1, y1 = box_of(entry)
        x1, y1 = min(math.ceil(x1), image["width"]), min(math.ceil(y1), image["height"])
        lower = {"xmin": math.floor(x0) + 1, "ymin": math.floor(y0) + 1}
        _add(ET.SubElement(node, "bndbox"), **lower, xmax=x1, ymax=y1)
    return root


def colour_map() -> list[int]:
    """VOC's colours of the values 0 to 255, r, g, b each: the value's bits, spread out."""
    bits = [
        [(value >> (3 * k + c)) & 1 for k in range(3)] for value in range(256) for c in range(3)
    ]
    return [128 * low + 64 * middle + 32 * high for low, middle, high in bits]


def _add(node: ET.Element, **values: object) -> None:
    for name, value in values.items():
        ET.SubElement(node, name).text = str(value)


def _write_sets(folder: Path, stems: list[str], names: list[str]) -> None:
    """Write the lists of photographs and of classes."""
    for kind in SETS:
        path = folder / "ImageSets" / kind / "default.txt"
        path.parent.mkdir(parents=True)
        path.write_text("".join(f"{stem}\n" for stem in stems), encoding="utf-8")
    (folder / "labelmap.txt").write_text(labelmap(names), encoding="utf-8")


def labelmap(names: list[str]) -> str:
    """The lines of labelmap.txt.

    Raises
    ------
    ValueError : more classes than a byte numbers, or a name that cannot stand in a line.
    """
    if len(names) > MOST:
        raise ValueError(
            f"{len(names)} classes, and VOC's pictures number {MOST}. Write coco_polygons instead."
        )
    for name in names:
        if ":" in name or not name.isprintable() or name == BACKGROUND:
            raise ValueError(
                f"class {name!r} cannot stand in VOC's labelmap.txt, in which ':' parts columns "
                f"and {BACKGROUND} is the first class. Rename it, or write coco_polygons instead."
            )
    colours = np.array(colour_map()).reshape(-1, 3)
    lines = zip([BACKGROUND, *names], colours, strict=False)
    head = "# label:color_rgb:parts:actions\n"
    return head + "".join(f"{name}:{','.join(map(str, colour))}::\n" for name, colour in lines)


def _write_xml(path: Path, root: ET.Element) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    ET.indent(root)
    ET.ElementTree(root).write(path, encoding="utf-8")


def _write_picture(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(values.astype(np.uint8))
    picture.putpalette(colour_map())
    picture.save(path)
