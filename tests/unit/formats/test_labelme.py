"""LabelMe's files: each kind of shape gives its label, and each fault has its sentence."""

import base64
import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from stages.formats.format import Labelled
from stages.formats.labelme import file_names, read, sources
from stages.formats.mask_decoding import decoded_mask
from stages.formats.mask_forms import PngPatch
from stages.geometry.masks import rle_areas, rles_to_masks
from stages.runtime.faults import Faults

TRIANGLE = [[1, 1], [5, 1], [5, 4]]


def shape(kind: Any = "point", points: Any = ((1.5, 2.5),), label: Any = "cat", **more: Any) -> Any:
    return {"label": label, "points": points, "group_id": None, "shape_type": kind, **more}


def labelme(*shapes: Any, **changes: Any) -> dict[str, Any]:
    """A file as LabelMe 5 writes it."""
    data = {
        "version": "5.4.1",
        "flags": {},
        "shapes": list(shapes),
        "imagePath": "a.png",
        "imageData": None,
        "imageHeight": 6,
        "imageWidth": 8,
    }
    return {**data, **changes}


def png(pixels: Any) -> str:
    data = io.BytesIO()
    Image.fromarray(np.array(pixels, dtype=np.uint8) * 255).save(data, "PNG")
    return base64.b64encode(data.getvalue()).decode()


def write(path: Path, data: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(data, bytes):
        path.write_bytes(data)
    else:
        path.write_text(json.dumps(data))
    return path


def read_one(tmp_path: Path, data: Any) -> tuple[Labelled, Faults]:
    source = write(tmp_path / "labels" / "a.json", data)
    faults = Faults(source)
    return read(source, tmp_path / "images", faults), faults


def labels_of(tmp_path: Path, *shapes: Any) -> Any:
    found, faults = read_one(tmp_path, labelme(*shapes))
    faults.check()
    return found.labels


def test_a_file_without_shapes_is_a_photograph_without_labels(tmp_path: Path) -> None:
    found, faults = read_one(tmp_path, labelme())
    faults.check()
    assert not found.labels
    assert [(i["file_name"], i["height"], i["width"]) for i in found.images] == [("a.png", 6, 8)]
    assert not found.has_ids


SHAPES = {
    "point": (shape(), {"point": (1.5, 2.5)}),
    "points of one": (shape("points", [[1, 2]]), {"point": (1, 2)}),
    "rectangle": (shape("rectangle", [[1, 1], [4, 3]]), {"box": (1, 1, 4, 3)}),
    "rectangle from below": (shape("rectangle", [[4, 1], [1, 3]]), {"box": (1, 1, 4, 3)}),
    "rectangle of four": (
        shape("rectangle", [[1, 1], [4, 1], [4, 3], [1, 3]]),
        {"box": (1, 1, 4, 3)},
    ),
    "polygon": (shape("polygon", TRIANGLE), {"mask": [[1, 1, 5, 1, 5, 4]]}),
    "of LabelMe 3": (
        {"label": "cat", "points": TRIANGLE, "line_color": None},
        {"mask": [[1, 1, 5, 1, 5, 4]]},
    ),
    "oriented rectangle": (
        shape("oriented_rectangle", [[2, 0], [4, 2], [2, 4], [0, 2]]),
        {"mask": [[2, 0, 4, 2, 2, 4, 0, 2]]},
    ),
    "a group of its own": (shape(group_id=3), {"point": (1.5, 2.5)}),
}


@pytest.mark.parametrize(("given", "expected"), SHAPES.values(), ids=SHAPES.keys())
def test_each_kind_of_shape_is_a_label(tmp_path: Path, given: Any, expected: Any) -> None:
    (label,) = labels_of(tmp_path, given)
    found = {name: getattr(label, name) for name in ("point", "box", "mask")}
    assert {name: value for name, value in found.items() if value is not None} == expected
    assert label.place == "shape 1"
    assert not label.is_relative


def test_the_centre_of_the_first_pixel_is_at_one_half(tmp_path: Path) -> None:
    point, box = labels_of(
        tmp_path, shape("point", [[0.5, 0.5]]), shape("rectangle", [[0, 0], [1, 1]])
    )
    assert point.point == (0.5, 0.5)
    assert box.box == (0, 0, 1, 1)  # half-open: the first pixel


@pytest.mark.parametrize("radius", [0.5, 20, 800])
def test_a_circle_is_a_polygon_of_its_area(tmp_path: Path, radius: float) -> None:
    (label,) = labels_of(tmp_path, shape("circle", [[10, 20], [10, 20 + radius]]))
    corners = np.array(label.mask[0]).reshape(-1, 2) - [10, 20]
    following = np.roll(corners, -1, axis=0)
    area = (corners[:, 0] * following[:, 1] - corners[:, 1] * following[:, 0]).sum() / 2
    assert area == pytest.approx(math.pi * radius**2)
    assert len(corners) >= 32
    assert np.abs(np.hypot(*corners.T) - radius).max() < 0.1


def test_a_mask_lies_where_its_corners_say(tmp_path: Path) -> None:
    pixels = [[1, 0, 1], [0, 1, 0]]
    mask = shape("mask", [[2, 3], [4, 4]], mask=png(pixels))
    (label,) = labels_of(tmp_path, mask)
    assert isinstance(label.mask, PngPatch)
    (found,) = rles_to_masks([decoded_mask(label.mask, 6, 8)])
    expected = np.zeros((6, 8), dtype=np.uint8)
    expected[3:5, 2:5] = pixels
    assert np.array_equal(found, expected)
    moved = shape("mask", [[2.4, 3.4], [5.4, 4.4]], mask=png(pixels))  # 1 px more, as LabelMe 5
    (label,) = labels_of(tmp_path, moved)
    assert (label.mask.x, label.mask.y) == (2, 3)
    assert rle_areas([decoded_mask(label.mask, 6, 8)]).tolist() == [3]


def test_shapes_of_a_group_are_one_object(tmp_path: Path) -> None:
    one, other = shape("polygon", TRIANGLE, group_id=1), shape("polygon", TRIANGLE, group_id=2)
    more = [
        shape("point", group_id=1),
        shape("rectangle", [[1, 1], [5, 4]], group_id=1),
        shape("polygon", [[0, 0], [1, 0], [0, 1]], group_id=1),
        shape("point", group_id=1, label="dog"),
    ]
    first, second, third = labels_of(tmp_path, one, other, *more)
    assert first.mask == [[1, 1, 5, 1, 5, 4], [0, 0, 1, 0, 0, 1]]
    assert (first.point, first.box) == ((1.5, 2.5), (1, 1, 5, 4))
    assert second.mask == [[1, 1, 5, 1, 5, 4]]
    assert third.point == (1.5, 2.5)
    assert first.category_id == second.category_id != third.category_id


def test_what_is_no_label_is_counted(tmp_path: Path) -> None:
    lines = [shape("line", [[1, 1], [2, 2]]), shape("linestrip", TRIANGLE)]
    found, faults = read_one(
        tmp_path, labelme(*lines, *lines, shape("points", TRIANGLE), shape(flags={"hard": True}))
    )
    faults.check()
    assert len(found.labels) == 1
    assert found.left_out == {
        "shapes of kind line": 2,
        "shapes of kind linestrip": 2,
        "shapes of kind points": 1,
        "flags of shapes": 1,
    }


def test_flags_that_are_set_are_tags_and_labels_may_be_numbers(tmp_path: Path) -> None:
    data = labelme(shape(label=3), flags={"day": True, "night": False}, imageWidth=None)
    found, faults = read_one(tmp_path, data)
    faults.check()
    names = {category["id"]: category["name"] for category in found.categories}
    assert [names[label.category_id] for label in found.labels] == ["3", "day"]
    assert found.labels[1].point is found.labels[1].box is found.labels[1].mask is None
    assert found.images[0]["height"] is None


PLACES = {  # file, imagePath, name of the photograph
    "beside the file": ("images/x/a.json", "a.png", "x/a.png"),
    "up and down": ("labels/a.json", "../images/x/a.png", "x/a.png"),
    "up and down, Windows": ("labels/a.json", "..\\images\\x\\a.png", "x/a.png"),
    "elsewhere": ("labels/a.json", "../photos/a.png", "a.png"),
    "another machine": ("labels/a.json", "/elsewhere/x/a.png", "a.png"),
    "another machine, Windows": ("images/a.json", "C:\\photos\\a.png", "a.png"),
    "in the folder of the same name": ("labels/y/a.json", "b.png", "y/b.png"),
    "of no folder": ("labels/z/a.json", "b.png", "b.png"),
}


@pytest.mark.parametrize(("file", "path", "name"), PLACES.values(), ids=PLACES.keys())
def test_a_photograph_is_named_by_its_path_in_the_folder(
    tmp_path: Path, file: str, path: str, name: str
) -> None:
    write(tmp_path / "images" / "y" / "b.png", b"")
    written = write(tmp_path / file, labelme(imagePath=path))
    source = tmp_path / Path(file).parts[0]
    assert file_names(source, tmp_path / "images") == [name]
    assert sources(source, tmp_path / "images") == [written]


def test_files_are_found_in_folders_and_in_order(tmp_path: Path) -> None:
    (tmp_path / "c.json").mkdir()
    names = ["b.json", "a/z.JSON", "c.json/d.json", ".x/e.json", "._b.json", "b.txt"]
    for name in names:
        write(tmp_path / name, labelme(imagePath=f"{Path(name).stem}.png"))
    found = [path.relative_to(tmp_path).as_posix() for path in sources(tmp_path, tmp_path)]
    assert found == ["a/z.JSON", "b.json", "c.json/d.json"]
    assert sorted(file_names(tmp_path, tmp_path)) == ["a/z.png", "b.png", "c.json/d.png"]
    assert sources(tmp_path / "none", tmp_path) == [tmp_path / "none"]


def test_places_name_the_file_in_a_folder(tmp_path: Path) -> None:
    write(tmp_path / "x" / "a.json", labelme(shape("blob"), shape(), flags={"day": 7}))
    faults = Faults(tmp_path)
    (label,) = read(tmp_path, tmp_path, faults).labels
    assert label.place == "x/a.json: shape 2"
    with pytest.raises(ValueError, match=r"x/a.json: shape 1: its shape_type 'blob'") as caught:
        faults.check()
    assert "x/a.json: flag 'day': 7 is neither 0 nor 1. Name it, and" in str(caught.value)


def test_flags_that_are_none_are_named(tmp_path: Path) -> None:
    _, faults = read_one(tmp_path, labelme(flags=["day"]))
    with pytest.raises(ValueError, match=r"a.json: flags: \['day'\] is no object"):
        faults.check()


BOTH = dict(group_id=1)
MASK = png([[1]])
FAULTS = {
    "no object": ([5], "shape 1: 5 is no object"),
    "no points": ([shape(points=None)], "shape 1: point: points None are no list"),
    "empty points": ([shape(points=[])], "it has 0 points, not one"),
    "a point too many": ([shape(points=[[1, 1], [2, 2]])], "it has 2 points, not one"),
    "a point of three": ([shape(points=[[1, 2, 3]])], r"\[1, 2, 3\] is not a point \[x, y\]"),
    "a point of text": ([shape(points=["ab"])], "'ab' is not a point"),
    "no number": ([shape(points=[[1, "x"]])], "'x' is no finite number"),
    "not finite": ([shape(points=[[1, math.nan]])], "nan is no finite number"),
    "huge": ([shape(points=[[1, 10**400]])], "is no finite number"),
    "two corners": ([shape("polygon", [[1, 1], [2, 2]])], "it has 2 points, not three or more"),
    "half a rectangle": ([shape("rectangle", [[1, 1]])], "it has 1 points, not two"),
    "no radius": ([shape("circle", [[1, 1], [1, 1]])], "radii 0 and 0 are not above 0"),
    "a radius too large": ([shape("circle", [[0, 0], [1e308, 1.7e308]])], "radii inf"),
    "no label": ([shape(label=None)], "None is no text"),
    "empty label": ([shape(label=" ")], "' ' is no text"),
    "kind is a list": ([shape(["point"])], r"shape_type \['point'\] is none of"),
    "group is a list": ([shape(group_id=[1])], r"\[1\] is no text"),
    "no mask": ([shape("mask", [[1, 1], [1, 1]])], "mask None is no PNG in base64"),
    "mask of words": ([shape("mask", [[1, 1], [1, 1]], mask="!" * 40)], "is no PNG in base64"),
    "mask of others": ([shape("mask", [[1, 1], [1, 1]], mask="QUJD" * 20)], "no PNG in base64"),
    "mask elsewhere": ([shape("mask", [[1, 1], [4, 1]], mask=MASK)], "is of 1 x 1 px, its corners"),
    "two points": ([shape(**BOTH), shape(**BOTH)], "shapes 1, 2 are one .* more than one point"),
    "two rectangles": (
        [shape("rectangle", [[1, 1], [2, 2]], **BOTH)] * 2,
        "more than one rectangle",
    ),
    "two masks": (
        [shape("mask", [[1, 1], [1, 1]], mask=MASK, **BOTH), shape("polygon", TRIANGLE, **BOTH)],
        "more than one mask. Give them different group ids",
    ),
}


@pytest.mark.parametrize(("shapes", "said"), FAULTS.values(), ids=FAULTS.keys())
def test_a_faulty_shape_is_named_and_left_out(tmp_path: Path, shapes: list[Any], said: str) -> None:
    found, faults = read_one(tmp_path, labelme(*shapes, shape(label="sound")))
    assert [category["name"] for category in found.categories] == ["sound"]
    with pytest.raises(ValueError, match=said) as caught:
        faults.check()
    assert "a.json: shape 1: " in str(caught.value)


FILES = {
    "empty": (b"", "cannot be read as JSON"),
    "cut": (json.dumps(labelme()).encode()[:-9], "cannot be read as JSON"),
    "not UTF-8": (b'{"imagePath": "\xff"}', "cannot be read as JSON"),
    "nested": (b"[" * 100_000, "nested too deeply"),
    "huge number": (b'{"a": ' + b"1" * 5000 + b"}", "cannot be read as JSON"),
    "a list": ([], "no file of LabelMe: there is no 'shapes' and no 'imagePath'"),
    "of COCO": ({"images": [], "annotations": []}, "no file of LabelMe"),
    "no imagePath": ({"shapes": []}, "there is no 'imagePath'. Move it"),
    "shapes are no list": (labelme(shapes={}), r"its shapes are \{\}, no list"),
    "no name": (labelme(imagePath=""), "imagePath '' names no photograph"),
    "a folder up": (labelme(imagePath="x/.."), "names no photograph"),
    "half a character": (
        labelme(imagePath="\ud800.png"),
        r"photograph, '.*\\ud800.png' is no text",
    ),
    "a number": (labelme(imagePath=3), "imagePath 3 names no photograph"),
    "no height": (labelme(imageHeight=0), "imageHeight or imageWidth 0 is not from 1"),
    "odd width": (labelme(imageWidth="x"), "'x' is no whole number"),
}


@pytest.mark.parametrize(("data", "said"), FILES.values(), ids=FILES.keys())
def test_a_file_that_is_not_labelmes_is_named(tmp_path: Path, data: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        read_one(tmp_path, data)
    assert str(caught.value).startswith(f"{tmp_path / 'labels' / 'a.json'}: ")
    write(tmp_path / "labels" / "b.json", labelme(shape()))
    faults = Faults(tmp_path / "labels")
    assert len(read(tmp_path / "labels", tmp_path, faults).labels) == 1
    with pytest.raises(ValueError, match=said) as caught:
        faults.check()
    assert "labels: a.json: " in str(caught.value)


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    found, _ = read_one(tmp_path, json.dumps(labelme(shape())).encode("utf-8-sig"))
    assert len(found.labels) == 1


def test_nothing_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no JSON file in this folder"):
        read(tmp_path, tmp_path, Faults(tmp_path))
    with pytest.raises(ValueError, match="there is no such file or folder"):
        read(tmp_path / "none", tmp_path, Faults(tmp_path))


def test_links_out_of_the_folder_and_into_nowhere_are_not_followed(tmp_path: Path) -> None:
    write(tmp_path / "secret.json", labelme(shape()))
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.json").symlink_to(tmp_path / "secret.json")
    (tmp_path / "labels" / "b.json").symlink_to("nowhere.json")
    (tmp_path / "labels" / "c.json").symlink_to("c.json")
    faults = Faults(tmp_path / "labels")
    assert not read(tmp_path / "labels", tmp_path, faults).images
    with pytest.raises(ValueError, match=r"a.json: it is a link that leads out") as caught:
        faults.check()
    assert "3 files that are not LabelMe's" in str(caught.value)


def test_two_files_of_one_photograph_are_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / f"{name}.json", labelme(shape()))
    faults = Faults(tmp_path)
    assert len(read(tmp_path, tmp_path, faults).labels) == 1
    with pytest.raises(ValueError, match=r"b.json: its photograph a.png is labelled by a.json"):
        faults.check()
