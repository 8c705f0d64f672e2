"""How JSON is spoilt: as text, as a tree, in values of COCO's entries and of our own files."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.malformed.spoiling import Spoil, rewritten

Entry = dict[str, Any]
NAN, INFINITE = float("nan"), float("inf")


def _tree(change: Callable[[Any], Any]) -> Spoil:
    """The tree is changed in place, or another one takes its place."""

    def spoil(path: Path) -> None:
        tree = json.loads(path.read_text())
        other = change(tree)
        path.write_text(json.dumps(tree if other is None else other))

    return spoil


def _text(text: str) -> Spoil:
    return lambda path: path.write_text(text)


def _lines(change: Callable[[list[str]], list[str]]) -> Spoil:
    """The lines are others, each with its end."""
    return lambda path: path.write_text("".join(change(path.read_text().splitlines(True))))


def _entry(name: str, /, **values: Any) -> Spoil:
    """The last entry of a list has other values, on its line."""

    def spoil(path: Path) -> None:
        lines = path.read_text().splitlines()
        ends = lines.index("],", lines.index(f'"{name}": ['))
        lines[ends - 1] = json.dumps({**json.loads(lines[ends - 1]), **values})
        path.write_text("\n".join(lines) + "\n")

    return spoil


def _last(name: str, /, **values: Any) -> Spoil:
    """The same, wherever its line is."""
    return _tree(lambda tree: tree[name][-1].update(values))


def _without(name: str, key: str) -> Spoil:
    return _tree(lambda tree: tree[name][-1].pop(key) and None)


TREES: dict[str, Spoil] = {
    "a list": _text("[]"),
    "an empty object": _text("{}"),
    "null": _text("null"),
    "a number": _text("1"),
    "too deep": _text("[" * 200_000),
    "objects too deep": _text('{"a":' * 200_000),
    "too many digits": _text("1" * 10_000),
    "other entries": _text('{"images": [null, 1], "annotations": ["a"], "categories": [[]]}'),
    "ids in a list": _last("images", id=[1]),
    "a height of 10^12": _last("images", height=10**12),
    "a height that is NaN": _last("images", height=NAN),
    "a name that is none": _last("images", file_name=None),
    "a name that leads outside": _last("images", file_name="../../../x.png"),
    "a name that is too long": _last("images", file_name="x" * 5000),
    "a name with a zero byte": _last("images", file_name="a\0b.png"),
    "a class without a name": _last("categories", name=None),
    "a class with a wrong id": _last("categories", id=-4),
    "an image twice": _tree(lambda tree: tree["images"].append(tree["images"][0])),
    "no images": _tree(lambda tree: tree.update(images=[])),
}
FAR = [[-1e9, -1e9, 1e9, 0, 1e9, 1e9]]
HUGE = {"size": [10**12, 10**12], "counts": [10**24]}
ANNOTATIONS: dict[str, Spoil] = {
    "an id in a list": _last("annotations", id=[1]),
    "an image id in an object": _last("annotations", image_id={}),
    "a class that is NaN": _last("annotations", category_id=NAN),
    "a class that is unknown": _last("annotations", category_id=999),
    "a box that is NaN": _last("annotations", bbox=[NAN] * 4),
    "a box that is infinite": _last("annotations", bbox=[0, 0, INFINITE, 5]),
    "a polygon far outside": _last("annotations", segmentation=FAR),
    "a polygon of one point": _last("annotations", segmentation=[[1, 2]]),
    "a polygon with NaN": _last("annotations", segmentation=[[NAN] * 6]),
    "a polygon of text": _last("annotations", segmentation=[["a"] * 6]),
    "a code of height 0": _last("annotations", segmentation={"size": [0, 5], "counts": "0"}),
    "a code of 10^24 px": _last("annotations", segmentation=HUGE),
    "a code that is none": _last(
        "annotations", segmentation={"size": [256, 256], "counts": "\x01"}
    ),
    "negative runs": _last("annotations", segmentation={"size": [256, 256], "counts": [-1, 9]}),
    "an annotation twice": _tree(lambda tree: tree["annotations"].append(tree["annotations"][0])),
    "no annotations": _tree(lambda tree: tree.update(annotations=[])),
    "a class gone": _tree(lambda tree: tree["categories"].pop() and None),
    "an image gone": _tree(lambda tree: tree["images"].pop() and None),
}
EXPORTED: dict[str, Spoil] = {
    "on one line": rewritten(lambda data: json.dumps(json.loads(data)).encode()),
    "indented": rewritten(lambda data: json.dumps(json.loads(data), indent=1).encode()),
    "cut at a line": _lines(lambda lines: lines[:-4]),
    "cut before its counts": _lines(lambda lines: lines[:-1]),
    "a line gone": _lines(lambda lines: [*lines[:-4], *lines[-3:]]),
    "a line twice": _lines(lambda lines: [*lines[:-4], lines[-4], *lines[-4:]]),
    "lines reversed": _lines(lambda lines: lines[::-1]),
    "a list": _text("[]"),
    "too deep": _text("[" * 200_000),
    "a score that is NaN": _entry("annotations", score=NAN),
    "a score that is text": _entry("annotations", score="a"),
    "no weight": _entry("annotations", mask_weight=None),
    "a weight that is infinite": _entry("annotations", mask_weight=INFINITE),
    "a box that is NaN": _entry("annotations", bbox=[NAN] * 4),
    "ids in a list": _entry("annotations", id=[1]),
    "a history that is none": _entry("annotations", provenance=[]),
    "a code of height 0": _entry("annotations", segmentation={"size": [0, 5], "counts": "0"}),
    "a code without end": _entry(
        "annotations", segmentation={"size": [256, 256], "counts": "PPPPPPPPPPPP0"}
    ),
    "a code of 10^24 px": _entry("annotations", segmentation=HUGE),
    "polygons": _entry("annotations", segmentation=[[0, 0, 9, 0, 9, 9]]),
    "a height of 10^12": _entry("images", height=10**12),
    "a height of 0": _entry("images", height=0),
}
RESULTS: dict[str, Spoil] = {
    "an object": _text("{}"),
    "null": _text("null"),
    "too deep": _text("[" * 200_000),
    "other entries": _text("[null, 1, []]"),
    "no score": _tree(lambda tree: tree[-1].pop("score") and None),
    "a score that is NaN": _tree(lambda tree: tree[-1].update(score=NAN)),
    "a score that is text": _tree(lambda tree: tree[-1].update(score="a")),
    "a box of text": _tree(lambda tree: tree[-1].update(bbox="abcd")),
    "a box that is infinite": _tree(lambda tree: tree[-1].update(bbox=[0, 0, INFINITE, 1])),
    "ids in a list": _tree(lambda tree: tree[-1].update(image_id=[1])),
    "an unknown image": _tree(lambda tree: tree[-1].update(image_id=10**9)),
    "a class in an object": _tree(lambda tree: tree[-1].update(category_id={})),
    "a code of height 0": _tree(
        lambda tree: tree[-1].update(segmentation={"size": [0, 5], "counts": "0"})
    ),
    "a code without end": _tree(
        lambda tree: tree[-1]["segmentation"].update(counts="PPPPPPPPPPPP0")
    ),
    "a code of another size": _tree(lambda tree: tree[-1]["segmentation"].update(size=[3, 3])),
}
FACTS: dict[str, Spoil] = {
    "a list": _text("[]"),
    "null": _text("null"),
    "too deep": _text("[" * 200_000),
    "no loss": _tree(lambda tree: tree.pop("last_loss") and None),
    "a loss that is NaN": _tree(lambda tree: tree.update(last_loss=NAN)),
    "a loss that is infinite": _tree(lambda tree: tree.update(last_loss=INFINITE)),
    "steps that are text": _tree(lambda tree: tree.update(steps="a")),
}
GRADER: dict[str, Spoil] = {
    "a list": _text("[]"),
    "null": _text("null"),
    "too deep": _text("[" * 200_000),
    "another version": _tree(lambda tree: tree.update(version=99)),
    "no kinds": _tree(lambda tree: tree.update(kinds=[])),
    "a constant that is NaN": _tree(
        lambda tree: tree["kinds"]["point"]["score"].update(constant=NAN)
    ),
    "a constant that is infinite": _tree(
        lambda tree: tree["kinds"]["point"]["score"].update(constant=INFINITE)
    ),
    "no curves": _tree(lambda tree: tree["kinds"]["point"]["score"].pop("curves") and None),
}
