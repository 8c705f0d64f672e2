"""Sound labels of every format, of all kinds of labels: what the fuzzer spoils.

Every sample is read without a fault; the test says so.
"""

import base64
import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from stages.formats.brush import codes_of
from tests.fuzz.cases import HEIGHT, WIDTH, Case

SQUARE = [10.0, 10.0, 60.0, 10.0, 60.0, 50.0, 10.0, 50.0]
SIZE = {"height": HEIGHT, "width": WIDTH}


def png(pixels: Any) -> bytes:
    """A gray picture."""
    data = io.BytesIO()
    Image.fromarray(np.asarray(pixels, dtype=np.uint8)).save(data, "PNG")
    return data.getvalue()


def numbers_png() -> bytes:
    """Objects 1 and 2 of a photograph, as VOC's SegmentationObject has them."""
    numbers = np.zeros((HEIGHT, WIDTH), np.uint8)
    numbers[10:50, 10:60], numbers[60:90, 20:70], numbers[5, 5] = 1, 2, 255
    return png(numbers)


def coco_data() -> dict[str, Any]:
    """A file that has every kind of annotation."""
    base = {"image_id": 1, "category_id": 3, "iscrowd": 0}
    runs = {"size": [HEIGHT, WIDTH], "counts": [1000, 200, HEIGHT * WIDTH - 1200]}
    code = {"size": [HEIGHT, WIDTH], "counts": "Poo11O0O1OdPdo0"}
    quality = {"score": 0.5, "quality": {"box_fit": 0.5}, "mask_weight": 1, "extra_masks": [runs]}
    shapes: list[dict[str, Any]] = [
        {"segmentation": [SQUARE], "bbox": [10, 10, 50, 40], "area": 2000, **quality},
        {"segmentation": runs, "bbox": [8, 40, 3, 40], "number_in_image": 0},
        {"segmentation": code, "bbox": [8, 40, 3, 40], "iscrowd": 1, "point": [9.5, 50.5]},
        {"segmentation": [SQUARE], "bbox": [10, 10, 50, 40], "keypoints": [30, 30, 2, 0, 0, 0]},
        {"segmentation": [SQUARE, SQUARE], "bbox": [10, 10, 50, 40], "image_id": 2},
    ]
    return {
        "info": {"description": "a sample"},
        "licenses": [],
        "images": [
            {"id": 1, "file_name": "a.png", **SIZE, "reading": {"orientation": 1}},
            {"id": 2, "file_name": "b.png", **SIZE},
        ],
        "categories": [{"id": 3, "name": "cat", "supercategory": "animal"}, {"id": 5, "name": "d"}],
        "annotations": [{**base, "id": 7 + k, **shape} for k, shape in enumerate(shapes)],
    }


def coco() -> list[Case]:
    """A file, and a folder as FiftyOne exports one."""
    data = json.dumps(coco_data()).encode()
    return [
        Case("labels.json", {"labels.json": data}),
        Case("labels", {"labels/labels.json": data, "labels/other.json": b"{}"}),
    ]


CSV = (
    "file_name,label,x,y,x0,y0,x1,y1,image_width,image_height,note\n"
    f"a.png,cat,30.5,40.5,10,10,60,50,{WIDTH},{HEIGHT},n\n"
    f"b.png,dog,,,10,10,60,50,,,\nsub/c.jpg,cat,3,4,,,,,,,\nsub/c.jpg,dog,,,,,,,,,\n"
)
SIDES = "image;class;x;y;w;h\na.png;cat;10,5;10;50;40\nb.png;dog;;;;\n"


def csv() -> list[Case]:
    """With commas, with semicolons and decimal commas, and as Parquet."""
    columns = {"file_name": ["a.png", "b.png"], "label": ["cat", "dog"], "x": [3.5, None]}
    table = pa.table({**columns, "y": [4.5, None], "note": [1, 2]})
    data = io.BytesIO()
    pq.write_table(table, data)
    return [
        Case("labels.csv", {"labels.csv": CSV.encode()}),
        Case("labels.csv", {"labels.csv": b"\xef\xbb\xbf" + SIDES.encode()}),
        Case("labels.tsv", {"labels.tsv": CSV.replace(",", "\t").encode()}),
        Case("labels.parquet", {"labels.parquet": data.getvalue()}),
    ]


def labelme_data(name: str = "a.png") -> dict[str, Any]:
    """A file that has every kind of shape."""
    triangle = [[10, 10], [60, 10], [60, 50]]
    picture = base64.b64encode(png(np.ones((4, 3)))).decode()
    shapes: list[tuple[str, Any, dict[str, Any]]] = [
        ("point", [[3, 4]], {"flags": {"hard": True}}),
        ("rectangle", [[10, 10], [60, 50]], {"group_id": 1}),
        ("polygon", triangle, {"group_id": 1}),
        ("circle", [[50, 50], [50, 70]], {}),
        ("mask", [[20, 20], [22, 23]], {"mask": picture, "label": "dog"}),
        ("linestrip", triangle, {}),
    ]
    return {
        "version": "5.4.1",
        "flags": {"day": True, "night": False},
        "shapes": [
            {"label": "cat", "points": points, "shape_type": kind, **more}
            for kind, points, more in shapes
        ],
        "imagePath": f"../{'images'}/{name}",
        "imageData": None,
        "imageHeight": HEIGHT,
        "imageWidth": WIDTH,
    }


def labelme() -> list[Case]:
    """A folder, and one file."""
    a, b = (json.dumps(labelme_data(name)).encode() for name in ("a.png", "b.png"))
    return [
        Case("labels", {"labels/a.json": a, "labels/b.json": b}),
        Case("labels/a.json", {"labels/a.json": a}),
    ]


def label_studio_data() -> list[dict[str, Any]]:
    """Tasks that have every kind of result."""
    brush = np.zeros((HEIGHT, WIDTH), bool)
    brush[30:60, 40:90] = True
    values: list[tuple[str, dict[str, Any]]] = [
        ("keypointlabels", {"x": 25.0, "y": 50.0, "width": 0.5, "keypointlabels": ["cat"]}),
        ("rectanglelabels", {"x": 5, "y": 5, "width": 30, "height": 20, "rotation": 15,
                             "rectanglelabels": ["dog"]}),
        ("polygonlabels", {"points": [[5, 5], [50, 5], [50, 50]], "polygonlabels": ["cat"]}),
        ("ellipselabels", {"x": 50, "y": 50, "radiusX": 9, "radiusY": 5, "ellipselabels": ["cat"]}),
        ("brushlabels", {"format": "rle", "rle": list(codes_of(brush)), "brushlabels": ["dog"]}),
        ("choices", {"choices": ["day"]}),
        ("textarea", {"text": ["fine"]}),
    ]  # fmt: skip
    size = {"original_width": WIDTH, "original_height": HEIGHT, "image_rotation": 0}
    results = [
        {"id": f"r{k}", "type": kind, "value": value, "from_name": "l", "to_name": "i", **size}
        for k, (kind, value) in enumerate(values)
    ]
    annotation = {"id": 9, "result": results, "updated_at": "2024-05-01T10:00:00.5Z"}
    other = {"id": 10, "result": results[:1], "was_cancelled": True}
    return [
        {"id": 1, "data": {"image": "/data/upload/1/0a1b2c3d-a.png"}, "file_upload": "a.png",
         "annotations": [annotation, other], "drafts": [], "predictions": [{}]},
        {"id": 2, "data": {"image": "/data/local-files/?d=images/b.png"},
         "annotations": [{"id": 11, "result": results[:3]}]},
    ]  # fmt: skip


def label_studio() -> list[Case]:
    """An export."""
    return [Case("export.json", {"export.json": json.dumps(label_studio_data()).encode()})]


def cvat_text() -> str:
    """A file that has every kind of shape."""
    shapes = (
        '<points label="cat" points="30.5,40.5" occluded="0"/>'
        '<box label="dog" xtl="10" ytl="10" xbr="60" ybr="50" rotation="20" group_id="1"/>'
        '<box label="dog" xtl="10" ytl="10" xbr="60" ybr="50"><attribute name="a">b</attribute>'
        '</box><polygon label="cat" points="10,10;60,10;60,50" group_id="2"/>'
        '<ellipse label="cat" cx="50" cy="50" rx="9" ry="5"/><polyline label="cat" points="1,1"/>'
        '<mask label="dog" left="20" top="20" width="3" height="2" rle="0, 1, 1, 1, 3"/>'
        '<tag label="day" source="manual"></tag>'
    )
    images = "".join(
        f'<image id="{k}" name="{name}" width="{WIDTH}" height="{HEIGHT}">{shapes}</image>'
        for k, name in enumerate(("a.png", "sub/c.jpg"))
    )
    head = "<version>1.1</version><meta><task><id>4</id></task></meta>"
    return f'<?xml version="1.0" encoding="utf-8"?>\n<annotations>{head}{images}</annotations>'


def cvat() -> list[Case]:
    """A file, and a folder that holds it."""
    data = cvat_text().encode()
    return [
        Case("annotations.xml", {"annotations.xml": data}),
        Case("cvat", {"cvat/annotations.xml": data}),
    ]


def voc_text(name: str = "a.png") -> str:
    """A file of two boxes, the second of which has a point."""
    box = "<bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox>"
    first = f"<object><name>cat</name>{box.format(11, 11, 60, 50)}<difficult>1</difficult></object>"
    point = "<point><x>40.5</x><y>70.5</y></point><part><name>head</name></part>"
    second = f"<object><name>dog</name>{box.format(21, 61, 70, 90)}{point}</object>"
    size = f"<size><width>{WIDTH}</width><height>{HEIGHT}</height><depth>3</depth></size>"
    head = f"<folder>x</folder><filename>{name}</filename>{size}<segmented>1</segmented>"
    return f"<annotation>{head}{first}{second}</annotation>"


def voc() -> list[Case]:
    """A root with masks, a list of it, and one file."""
    files = {
        "voc/Annotations/a.xml": voc_text().encode(),
        "voc/Annotations/b.xml": voc_text("b.png").encode(),
        "voc/SegmentationObject/a.png": numbers_png(),
        "voc/ImageSets/Main/train.txt": b"a\nb 1\n",
    }
    sources = ("voc", "voc/ImageSets/Main/train.txt", "voc/Annotations/a.xml", "voc/Annotations")
    return [Case(source, files) for source in sources]


def yolo() -> list[Case]:
    """A data.yaml with keypoints, and folders without."""
    lines = b"1 0.5 0.5 0.25 0.5\n0 0.1 0.1 0.6 0.1 0.6 0.5 0.1 0.5\n0 0.2 0.2 0.1 0.1 0.9\n"
    pose = {
        "data.yaml": b"path: .\ntrain: images\nnc: 2\nnames: [cat, dog]\nkpt_shape: [1, 3]\n",
        "labels/a.txt": b"1 0.5 0.5 0.25 0.5 0.5 0.5 2\n0 0.2 0.2 0.1 0.1 0 0 0\n",
    }
    plain = {"labels/a.txt": lines, "labels/sub/c.txt": lines, "labels/b.txt": b""}
    return [
        Case("data.yaml", pose),
        Case("labels", {**plain, "labels/classes.txt": b"cat\ndog\n"}),
        Case("data.yaml", {**plain, "data.yaml": b"names:\n  0: cat\n  1: 'dog'\n"}),
        Case("labels", plain),
    ]


SAMPLES: dict[str, Callable[[], list[Case]]] = {
    "coco": coco,
    "csv": csv,
    "labelme": labelme,
    "label_studio": label_studio,
    "cvat": cvat,
    "voc": voc,
    "yolo": yolo,
}
