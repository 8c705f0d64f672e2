"""The files of labelling tools: LabelMe, Label Studio, CVAT, Pascal VOC, Ultralytics' YOLO.

Each writer takes a folder and drawn objects, draws the photographs into the folder, writes each
object as the kind of label that it says, and returns {images, annotations}.
"""

import base64
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import numpy as np
import yaml
from PIL import Image

from stages.formats.brush import codes_of
from tests.drawn_objects import BALL, NAMES, PHOTOGRAPHS, SIZES, Drawn, Split, draw, of, split_of

VOID = 255  # around each object in VOC's pictures


def labelme(folder: Path, objects: Sequence[Drawn]) -> Split:
    """LabelMe's files, in a folder beside the photographs."""
    images, labels = draw(folder / PHOTOGRAPHS, objects), folder / "labels"
    labels.mkdir()
    for name, (height, width) in SIZES.items():
        data = {
            "version": "5.5.0",
            "flags": {},
            "shapes": [_shape(thing) for thing in of(objects, name)],
            "imagePath": f"../{PHOTOGRAPHS}/{name}",
            "imageData": None,
            "imageHeight": height,
            "imageWidth": width,
        }
        text = json.dumps(data, ensure_ascii=False, indent=2)
        (labels / name).with_suffix(".json").write_text(text, encoding="utf-8")
    return split_of(images, labels)


def _shape(thing: Drawn) -> dict[str, Any]:
    """A shape of LabelMe: a disc's mask is a picture, a box's a polygon."""
    x0, y0, x1, y1 = thing.box
    kind, corners, picture = {
        "point": ("point", [thing.point], None),
        "box": ("rectangle", [(x0, y0), (x1, y1)], None),
        "mask": ("polygon", np.reshape(thing.polygon, (-1, 2)).tolist(), None),
    }[thing.kind]
    if thing.kind == "mask" and thing.name == BALL:
        kind, corners = "mask", [(x0, y0), (x1 - 1, y1 - 1)]  # LabelMe's last pixel is inclusive
        picture = _png(thing.mask[y0:y1, x0:x1])
    facts = {"group_id": None, "description": "", "shape_type": kind, "flags": {}}
    return {"label": thing.name, "points": corners, **facts, "mask": picture}


def _png(mask: np.ndarray) -> str:
    data = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8)).save(data, "PNG")
    return base64.b64encode(data.getvalue()).decode()


def label_studio(folder: Path, objects: Sequence[Drawn]) -> Split:
    """Label Studio's JSON export, of photographs that it served from a folder."""
    images, path = draw(folder / PHOTOGRAPHS, objects), folder / "export.json"
    tasks = [
        {
            "id": 100 + number,
            "annotations": [
                {
                    "id": 200 + number,
                    "completed_by": 1,
                    "was_cancelled": False,
                    "updated_at": "2024-05-01T10:00:00.000000Z",
                    "result": [_result(thing) for thing in of(objects, name)],
                }
            ],
            "drafts": [],
            "predictions": [],
            "data": {"image": f"/data/local-files/?d={quote(f'{PHOTOGRAPHS}/{name}')}"},
        }
        for number, name in enumerate(SIZES)
    ]
    path.write_text(json.dumps(tasks))
    return split_of(images, path)


def _result(thing: Drawn) -> dict[str, Any]:
    """A result in percent of the sides: a disc's mask is a brush, a box's a polygon."""
    height, width = thing.size
    share = np.array([100 / width, 100 / height])
    (x, y), (x0, y0), (x1, y1) = (
        (np.array(pair) * share).tolist() for pair in (thing.point, thing.box[:2], thing.box[2:])
    )
    outline = (np.reshape(thing.polygon, (-1, 2)) * share).tolist()
    kind, value = {
        "point": ("keypoint", {"x": x, "y": y, "width": 0.5}),
        "box": ("rectangle", {"x": x0, "y": y0, "width": x1 - x0, "height": y1 - y0}),
        "mask": ("polygon", {"points": outline, "closed": True}),
    }[thing.kind]
    if thing.kind == "mask" and thing.name == BALL:
        kind, value = "brush", {"format": "rle", "rle": list(codes_of(thing.mask))}
    return {
        "id": f"{x0:.3f}-{y0:.3f}",
        "type": f"{kind}labels",
        "value": {**value, f"{kind}labels": [thing.name]},
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
        "from_name": "tag",
        "to_name": "image",
    }


def cvat(folder: Path, objects: Sequence[Drawn]) -> Split:
    """CVAT's XML 1.1 for images."""
    images, path = draw(folder / PHOTOGRAPHS, objects), folder / "annotations.xml"
    root = Element("annotations")
    SubElement(root, "version").text = "1.1"
    labels = SubElement(SubElement(SubElement(root, "meta"), "task"), "labels")
    for name in NAMES:
        SubElement(SubElement(labels, "label"), "name").text = name
    for number, (name, (height, width)) in enumerate(SIZES.items()):
        facts = {"id": f"{number}", "name": name, "width": f"{width}", "height": f"{height}"}
        image = SubElement(root, "image", facts)
        for thing in of(objects, name):
            tag, values = _element(thing)
            facts = {"label": thing.name, "source": "manual", "occluded": "0"}
            SubElement(image, tag, {**facts, **values, "z_order": "0"})
    ElementTree.ElementTree(root).write(path, "utf-8", xml_declaration=True)
    return split_of(images, path)


def _element(thing: Drawn) -> tuple[str, dict[str, str]]:
    """Tag and coordinates of a shape of CVAT: a disc's mask is runs, a box's a polygon."""
    if thing.kind == "point":
        return "points", {"points": _pairs(thing.point)}
    x0, y0, x1, y1 = thing.box
    if thing.kind == "box":
        return "box", dict(zip(("xtl", "ytl", "xbr", "ybr"), map(str, thing.box), strict=True))
    if thing.name != BALL:
        return "polygon", {"points": _pairs(thing.polygon)}
    values = thing.mask[y0:y1, x0:x1].ravel()
    ends = np.flatnonzero(np.diff(values, prepend=False, append=~values[-1:]))
    runs = ", ".join(map(str, np.diff(ends, prepend=0)))
    place = {"left": x0, "top": y0, "width": x1 - x0, "height": y1 - y0}
    return "mask", {"rle": runs, **{name: str(value) for name, value in place.items()}}


def _pairs(values: Sequence[float]) -> str:
    pairs = np.reshape(values, (-1, 2)).tolist()
    return ";".join(f"{x},{y}" for x, y in pairs)


def voc(folder: Path, objects: Sequence[Drawn], *, pointed: bool = False) -> Split:
    """A root of Pascal VOC, with SegmentationObject for photographs whose labels are masks.

    pointed : objects have a `point`, too.
    """
    root = folder / "VOC"
    images = draw(root / "JPEGImages", objects)
    for name in ("Annotations", "SegmentationObject"):
        (root / name).mkdir()
    for name, size in SIZES.items():
        things = of(objects, name)
        xml = _voc_xml(name, size, things, pointed=pointed)
        xml.write((root / "Annotations" / name).with_suffix(".xml"), "utf-8")
        if any(thing.kind == "mask" for thing in things):
            picture = Image.fromarray(_numbered(things))
            picture.putpalette(list(range(256)) * 3)
            picture.save((root / "SegmentationObject" / name).with_suffix(".png"))
    return split_of(images, root)


def _voc_xml(
    name: str, size: tuple[int, int], things: Sequence[Drawn], *, pointed: bool
) -> "ElementTree.ElementTree[Element]":
    """VOC counts from 1, its last pixel is inclusive, and a point is the middle of its pixel."""
    root = Element("annotation")
    SubElement(root, "filename").text = name
    sides = SubElement(root, "size")
    for tag, value in (("width", size[1]), ("height", size[0]), ("depth", 3)):
        SubElement(sides, tag).text = str(value)
    for thing in things:
        entry = SubElement(root, "object")
        SubElement(entry, "name").text = thing.name
        SubElement(entry, "difficult").text = "0"
        box = SubElement(entry, "bndbox")
        x0, y0, x1, y1 = thing.box
        for tag, value in (("xmin", x0 + 1), ("ymin", y0 + 1), ("xmax", x1), ("ymax", y1)):
            SubElement(box, tag).text = str(value)
        point = SubElement(entry, "point") if pointed else entry
        for tag, value in zip("xy", thing.point if pointed else (), strict=False):
            SubElement(point, tag).text = str(value + 0.5)
    return ElementTree.ElementTree(root)


def _numbered(things: Sequence[Drawn]) -> np.ndarray:
    """The k-th object's pixels are k, those around them VOID, (height, width) uint8."""
    picture = np.zeros(things[0].size, dtype=np.uint8)
    for thing in things:
        for axis, step in ((0, 1), (0, -1), (1, 1), (1, -1)):
            picture[np.roll(thing.mask, step, axis)] = VOID
    for number, thing in enumerate(things, start=1):
        picture[thing.mask] = number
    return picture


def yolo(folder: Path, objects: Sequence[Drawn]) -> Split:
    """Ultralytics' text files beside `images`: boxes, and outlines for masks."""
    images, labels = draw(folder / "images", objects), folder / "labels"
    labels.mkdir()
    for name in SIZES:
        lines = [_line(thing) for thing in of(objects, name)]
        if lines:
            (labels / name).with_suffix(".txt").write_text("\n".join(lines) + "\n")
    names = dict(enumerate(NAMES))
    path = folder / "data.yaml"
    path.write_text(yaml.safe_dump({"path": ".", "train": "images", "names": names}))
    return split_of(images, path)


def _line(thing: Drawn) -> str:
    height, width = thing.size
    sides = np.array([width, height])
    x0, y0, x1, y1 = thing.box
    values = {
        "box": [[(x0 + x1) / 2, (y0 + y1) / 2], [x1 - x0, y1 - y0]],
        "mask": np.reshape(thing.polygon, (-1, 2)),
    }[thing.kind]
    shares = (np.array(values) / sides).ravel().tolist()
    return " ".join(map(str, [NAMES.index(thing.name), *shares]))
