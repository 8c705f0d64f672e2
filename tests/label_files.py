"""One small data set in each format that people have, after the documentation of each tool.

Each writer takes a folder and drawn objects, draws the photographs into the folder, writes each
object as the kind of label that it says, and returns {images, annotations} of `dataset.train`.
The files of labelling tools are in `tests/label_tools.py`.
"""

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.drawn_objects import NAMES, PHOTOGRAPHS, SIZES, Drawn, Split, draw, drawn, split_of
from tests.label_tools import cvat, label_studio, labelme, voc, yolo

POINT, BOX = ("x", "y"), ("x0", "y0", "x1", "y1")


def table(folder: Path, objects: Sequence[Drawn], *, name: str = "labels.csv") -> Split:
    """CSV, TSV or Parquet, by the suffix, with the columns that the labels need."""
    images = draw(folder / PHOTOGRAPHS, objects)
    kinds = {thing.kind for thing in objects}
    columns = [*(POINT if "point" in kinds else ()), *(BOX if "box" in kinds else ())]
    header = ["file_name", "label", *columns]
    rows = [_row(thing) for thing in objects]
    path = folder / name
    if path.suffix == ".parquet":
        pq.write_table(pa.table({name: [row.get(name) for row in rows] for name in header}), path)
    else:
        delimiter = "\t" if path.suffix == ".tsv" else ","
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, header, delimiter=delimiter)
            writer.writeheader()
            writer.writerows(rows)
    return split_of(images, path)


def _row(thing: Drawn) -> dict[str, Any]:
    names, values = {"point": (POINT, thing.point), "box": (BOX, thing.box)}[thing.kind]
    shape = dict(zip(names, values, strict=True))
    return {"file_name": thing.photograph, "label": thing.name, **shape}


def coco(folder: Path, objects: Sequence[Drawn], *, pointed: bool = False) -> Split:
    """COCO: points in `keypoints`, masks as RLE and as polygons.

    pointed : annotations have our own key `point`, too.
    """
    images, path = draw(folder / PHOTOGRAPHS, objects), folder / "labels.json"
    data = coco_of(objects)
    for entry, thing in zip(data["annotations"] if pointed else (), objects, strict=False):
        entry["point"] = thing.point
    path.write_text(json.dumps(data))
    return split_of(images, path)


def fiftyone(folder: Path, objects: Sequence[Drawn]) -> Split:
    """What FiftyOne exports as COCODetectionDataset: classes from 0, masks as polygons."""
    images, path = draw(folder / "export" / "data", objects), folder / "export" / "labels.json"
    data = coco_of(objects, first_class=0, outlines=(*NAMES,))
    data["images"] = [{**image, "license": None, "coco_url": None} for image in data["images"]]
    data["categories"] = [{**entry, "supercategory": None} for entry in data["categories"]]
    path.write_text(json.dumps({"info": {"description": "Exported"}, "licenses": [], **data}))
    return split_of(images, path.parent)


def coco_of(
    objects: Sequence[Drawn], *, first_class: int = 1, outlines: Sequence[str] = NAMES[1:]
) -> dict[str, Any]:
    """The three lists; an annotation's id is its object's place among all, from 1 on.

    outlines : classes whose masks are polygons.
    """
    ids = {name: number for number, name in enumerate(SIZES, start=1)}
    sizes = [{"file_name": name, "height": h, "width": w} for name, (h, w) in SIZES.items()]
    return {
        "images": [{"id": ids[image["file_name"]], **image} for image in sizes],
        "categories": [
            {"id": number, "name": name} for number, name in enumerate(NAMES, first_class)
        ],
        "annotations": [
            {
                "id": number,
                "image_id": ids[thing.photograph],
                "category_id": first_class + NAMES.index(thing.name),
                "iscrowd": 0,
                **_annotated(thing, outlines),
            }
            for number, thing in enumerate(objects, start=1)
        ],
    }


def _annotated(thing: Drawn, outlines: Sequence[str]) -> dict[str, Any]:
    """What COCO has of an object."""
    if thing.kind == "point":
        return {"keypoints": [*thing.point, 2], "num_keypoints": 1}
    x0, y0, x1, y1 = thing.box
    box = {"bbox": [x0, y0, x1 - x0, y1 - y0], "area": (x1 - x0) * (y1 - y0)}
    if thing.kind == "box":
        return box
    rle = {**thing.rle, "counts": thing.rle["counts"].decode()}
    outline = [list(thing.polygon)]
    mask = outline if thing.name in outlines else rle
    return {**box, "area": int(thing.mask.sum()), "segmentation": mask}


@dataclass(frozen=True, slots=True)
class Case:
    """A file of labels.

    format : what it is told to be. kinds : of its labels, which objects have by turns.
    more : for the writer.
    """

    format: str
    write: Callable[..., Split]
    kinds: tuple[str, ...] = ("point", "box", "mask")
    more: dict[str, str] = field(default_factory=dict)

    def written(self, folder: Path, seed: int = 0) -> tuple[list[Drawn], Split]:
        """The objects, and the keys of `dataset.train`, once all is in the folder."""
        objects = drawn(*self.kinds, seed=seed)
        return objects, self.write(folder, objects, **self.more)


FILES = {
    "CSV of points": Case("csv", table, ("point",)),
    "TSV of boxes": Case("csv", table, ("box",), {"name": "labels.tsv"}),
    "Parquet": Case("csv", table, ("point", "box"), {"name": "labels.parquet"}),
    "COCO points": Case("coco", coco, ("point",)),
    "COCO boxes": Case("coco", coco, ("box",)),
    "COCO masks": Case("coco", coco, ("mask",)),
    "COCO of all": Case("coco", coco),
    "LabelMe": Case("labelme", labelme),
    "Label Studio": Case("label_studio", label_studio),
    "CVAT": Case("cvat", cvat),
    "VOC boxes": Case("voc", voc, ("box",)),
    "VOC masks": Case("voc", voc, ("mask",)),
    "YOLO boxes": Case("yolo", yolo, ("box",)),
    "YOLO outlines": Case("yolo", yolo, ("mask",)),
    "FiftyOne": Case("coco", fiftyone, ("box", "mask")),
}
