"""Tables, YOLO's text files, and the XML of CVAT and VOC, built for hypothesis."""

import json
from typing import Any

from hypothesis import strategies as st

from stages.formats.delimited import KNOWN
from tests.fuzz.cases import HEIGHT, WIDTH, Case
from tests.fuzz.odd_tables import columns, parquet
from tests.fuzz.parts import (
    CLASS,
    FILE,
    NUMBER,
    PIXEL,
    TEXT,
    TREE,
    Made,
    element,
    encoded,
    joined,
    leaf,
    mostly,
)
from tests.fuzz.samples import numbers_png

USUAL = ["file_name", "label", "x", "y"]
SHAPES = ["points", "box", "polygon", "ellipse", "mask", "tag", "polyline", "skeleton"]
SIDES = ["xtl", "ytl", "xbr", "ybr", "cx", "cy", "rx", "ry", "rotation"]


def csv() -> Made:
    """A table with a header of known columns, as text or as Parquet."""
    cell = mostly(FILE | CLASS | PIXEL.map(str) | st.just(""), TEXT | NUMBER.map(str))
    name = mostly(st.sampled_from([*USUAL, *sorted(KNOWN)]), TEXT)
    header = mostly(USUAL, st.lists(name, min_size=2, max_size=8))
    usual = st.tuples(FILE, CLASS, PIXEL, PIXEL).map(lambda cells: [*map(str, cells)])
    rows = st.lists(mostly(usual, st.lists(cell, max_size=8)), max_size=4)
    ends = st.sampled_from(["\n", "\r\n", "\r"])
    text = st.tuples(st.sampled_from(",;\t|"), header, rows, ends).map(_table)
    column = st.tuples(name, st.sampled_from(columns()))
    binary = st.lists(column, min_size=1, max_size=6).map(_parquet)
    return (text | binary).map(lambda data: Case("labels.csv", {"labels.csv": data}))


def _table(made: tuple[str, list[str], list[list[str]], str]) -> bytes:
    delimiter, header, rows, end = made
    return encoded(end.join(delimiter.join(cells) for cells in [header, *rows]))


def _parquet(made: list[tuple[str, Any]]) -> bytes:
    """Most tables have the two columns that are needed."""
    names = [encoded(name).decode("utf-8", "replace") for name, _ in made]
    known = USUAL[:2] if len(names) > 2 else []
    return parquet([*known, *names[len(known) :]], [column for _, column in made])


def yolo() -> Made:
    """A data.yaml and one or two label files."""
    share = st.floats(0, 1).map(lambda value: f"{value:.4f}")
    word = mostly(share, TEXT | NUMBER.map(str))
    count = mostly(st.sampled_from([4, 5, 6, 7, 8]), st.integers(0, 12))
    words = count.flatmap(lambda number: st.lists(word, min_size=number, max_size=number))
    line = st.tuples(mostly(st.integers(0, 1), TEXT), words)
    lines = st.lists(line.map(lambda made: f"{made[0]} {' '.join(made[1])}"), max_size=4)
    text = lines.map(lambda made: encoded("\n".join(made)))
    odd = TEXT | TREE.map(json.dumps)
    names = mostly("[cat, dog]", odd)
    shape = mostly(st.sampled_from(["null", "null", "null", "[1, 2]", "[1, 3]"]), odd)
    yaml = st.tuples(names, shape).map(lambda made: "names: {}\nkpt_shape: {}\n".format(*made))
    whole = {"data.yaml": yaml.map(encoded), "labels/a.txt": text}
    files = st.fixed_dictionaries(whole, optional={"labels/b.txt": text})
    return files.map(lambda made: Case("data.yaml", made))


def cvat() -> Made:
    """An annotations.xml."""
    point = st.tuples(PIXEL, PIXEL).map(lambda made: f"{made[0]},{made[1]}")
    runs = st.lists(st.integers(0, 9), max_size=4)
    named = {
        **dict.fromkeys(SIDES, PIXEL),
        **dict.fromkeys(["left", "top", "width", "height"], st.integers(0, 9)),
        "rle": runs.map(lambda made: ", ".join(map(str, made))),
        "points": st.lists(point, max_size=4).map(";".join),
        "group_id": st.integers(0, 2),
        "label": CLASS,
    }
    shape = st.one_of([element(tag, named) for tag in SHAPES])
    size = {"width": WIDTH, "height": HEIGHT}
    image = element("image", {"id": 0, "name": FILE, **size}, shape, shape)
    whole = element("annotations", {}, st.just("<version>1.1</version>"), image)
    return whole.map(lambda text: Case("a.xml", {"a.xml": encoded(text)}))


def voc() -> Made:
    """A root of one or two files, one with masks."""
    box = joined("bndbox", *(leaf(name, PIXEL) for name in ("xmin", "ymin", "xmax", "ymax")))
    point = joined("point", leaf("x", PIXEL), leaf("y", PIXEL))
    thing = joined("object", leaf("name", CLASS), box | point, leaf("difficult", 0))
    size = joined("size", leaf("width", WIDTH), leaf("height", HEIGHT))
    things = st.lists(thing, max_size=3).map("".join)
    file = joined("annotation", leaf("filename", FILE), size, things).map(encoded)
    whole = {"v/Annotations/a.xml": file, "v/SegmentationObject/a.png": st.just(numbers_png())}
    files = st.fixed_dictionaries(whole, optional={"v/Annotations/sub/c.xml": file})
    return files.map(lambda made: Case("v", made))
