"""Files of COCO, LabelMe and Label Studio, built for hypothesis."""

import json
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.cases import HEIGHT, WIDTH, Case
from tests.fuzz.parts import CLASS, FILE, NUMBER, PIXEL, TEXT, Made, mostly, pairs, record, some
from tests.fuzz.samples import label_studio_data, labelme_data

LABELME = ["point", "points", "rectangle", "polygon", "circle", "mask", "line", "rotation"]
SHAPES = ["keypoint", "rectangle", "polygon", "ellipse", "brush"]
LABELLED = [f"{shape}labels" for shape in SHAPES]
IDS = (1, 2, 3)
TIMES = ["2024-05-01T10:00:00Z", "0001-01-01", "9999-12-31T23:59:59-23:59"]


def as_json(tree: Any) -> bytes:
    """A file of a tree."""
    return json.dumps(tree).encode()


def coco() -> Made:
    """A file; of a few ids, so that they meet."""
    images = [record(id=k, file_name=FILE, height=HEIGHT, width=WIDTH) for k in IDS]
    categories = [record(id=k, name=CLASS, supercategory="animal") for k in IDS]
    lists = record(
        images=st.tuples(*images).map(list),
        categories=st.tuples(*categories).map(list),
        annotations=some(_annotation(), 6),
    )
    return mostly(lists).map(lambda tree: Case("labels.json", {"labels.json": as_json(tree)}))


def _annotation() -> Made:
    number, share = st.sampled_from(IDS), st.floats(0, 1)
    return record(
        id=st.integers(0, 10_000),
        image_id=number,
        category_id=number,
        iscrowd=st.integers(0, 1),
        segmentation=_mask(),
        bbox=st.lists(mostly(PIXEL, NUMBER), min_size=4, max_size=4),
        area=PIXEL,
        point=st.lists(PIXEL, min_size=2, max_size=2),
        keypoints=st.lists(mostly(PIXEL), max_size=6),
        number_in_image=number,
        difficulty="hard",
        score=share,
        mask_weight=1,
        extra_masks=some(_mask(), 3),
        quality=record(box_fit=share),
    )


def _mask() -> Made:
    """Polygons, runs or a code."""
    polygon = st.lists(mostly(PIXEL, NUMBER), min_size=6, max_size=10)
    runs = st.lists(mostly(st.integers(0, HEIGHT * WIDTH), NUMBER), max_size=5).map(_filled)
    code = st.text("0123456789:;<=>?@OPQo`~ ", max_size=12)
    return some(polygon, 3) | record(size=[HEIGHT, WIDTH], counts=runs | code)


def _filled(runs: list[Any]) -> list[Any]:
    """Runs with one more, which fills the image where they are numbers."""
    whole = [run for run in runs if type(run) is int and 0 <= run < HEIGHT * WIDTH]
    return [*runs, HEIGHT * WIDTH - sum(whole)] if len(whole) == len(runs) else runs


def labelme() -> Made:
    """A folder of one or two files."""
    shape = record(
        label=CLASS,
        shape_type=st.sampled_from(LABELME),
        points=pairs(1, 4),
        mask=labelme_data()["shapes"][4]["mask"],
        group_id=st.none() | st.integers(0, 2),
        flags=record(hard=True),
    )
    data = record(
        shapes=some(shape),
        imagePath=st.sampled_from(["../images/a.png", "..\\images\\b.png", "c.jpg"]),
        imageHeight=HEIGHT,
        imageWidth=WIDTH,
        flags=st.dictionaries(TEXT, mostly(st.booleans()), max_size=3),
    )
    names = st.sampled_from(["labels/a.json", "labels/b.json"])
    files = st.dictionaries(names, mostly(data).map(as_json), min_size=1)
    return files.map(lambda made: Case("labels", made))


def label_studio() -> Made:
    """An export of a few tasks."""
    result = record(
        id=st.sampled_from([f"r{k}" for k in range(12)]),
        type=st.sampled_from([*SHAPES, *LABELLED, "labels", "choices", "Rating"]),
        value=_value(),
        original_width=WIDTH,
        original_height=HEIGHT,
        image_rotation=0,
    )
    annotation = record(
        result=some(result), was_cancelled=st.booleans(), updated_at=st.sampled_from(TIMES)
    )
    data = record(image=FILE)
    task = record(id=st.integers(1, 3), annotations=some(annotation, 2), data=data)
    return mostly(some(task, 3)).map(lambda tree: Case("e.json", {"e.json": as_json(tree)}))


def _value() -> Made:
    """What any result may hold."""
    brush = label_studio_data()[0]["annotations"][0]["result"][4]["value"]["rle"]
    sides = ["x", "y", "width", "height", "radiusX", "radiusY"]
    return record(
        **dict.fromkeys(sides, st.floats(0, 100)),
        **dict.fromkeys(["labels", "choices", *LABELLED], st.lists(CLASS, min_size=1, max_size=2)),
        rotation=st.floats(-360, 360),
        points=pairs(3, 5),
        rle=brush,
        format="rle",
        closed=st.booleans(),
    )
