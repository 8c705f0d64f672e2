"""Label Studio's export: each kind of result gives its label, and each fault has its sentence."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.formats.brush import codes_of
from stages.formats.format import Labelled
from stages.formats.label_studio import file_names, read, sources
from stages.formats.mask_decoding import decoded_mask
from stages.formats.mask_forms import BrushRuns
from stages.geometry.masks import rles_to_masks
from stages.runtime.faults import Faults

HEIGHT, WIDTH = 40, 80
HALF = "\ud800.png"  # of a character, as JSON may hold it


def result(kind: Any, value: Any, **more: Any) -> dict[str, Any]:
    """A result as Label Studio 1.x writes it."""
    entry = {
        "original_width": WIDTH,
        "original_height": HEIGHT,
        "image_rotation": 0,
        "value": value,
        "from_name": "tag",
        "to_name": "img",
        "type": kind,
        "origin": "manual",
    }
    return {name: part for name, part in {**entry, **more}.items() if part != "absent"}


def keypoint(x: Any = 25.0, y: Any = 50.0, names: Any = ("cat",), **more: Any) -> dict[str, Any]:
    value = {"x": x, "y": y, "width": 0.5, "keypointlabels": list(names)}
    return result("keypointlabels", value, **more)


def rectangle(rotation: Any = 0, **more: Any) -> dict[str, Any]:
    value = {"x": 25, "y": 25, "width": 50, "height": 25, "rotation": rotation}
    return result("rectanglelabels", {**value, "rectanglelabels": ["cat"]}, **more)


def annotation(*results: Any, **more: Any) -> dict[str, Any]:
    return {"id": 7, "completed_by": 1, "result": list(results), "was_cancelled": False, **more}


def task(*results: Any, **changes: Any) -> dict[str, Any]:
    entry = {
        "id": 12,
        "annotations": [annotation(*results)],
        "file_upload": "a.png",
        "drafts": [],
        "predictions": [],
        "data": {"image": "/data/upload/1/a.png"},
    }
    return {**entry, **changes}


def write(folder: Path, data: Any) -> Path:
    path = folder / "export.json"
    path.write_bytes(data if isinstance(data, bytes) else json.dumps(data).encode())
    return path


def read_all(folder: Path, *tasks: Any) -> tuple[Labelled, Faults]:
    source = write(folder, list(tasks))
    faults = Faults(source)
    return read(source, folder / "images", faults), faults


def labels_of(folder: Path, *results: Any) -> Any:
    found, faults = read_all(folder, task(*results))
    faults.check()
    return found.labels


def classes_of(found: Labelled) -> list[str]:
    names = {category["id"]: category["name"] for category in found.categories}
    return [names[label.category_id] for label in found.labels]


def test_an_empty_annotation_is_a_photograph_without_labels(tmp_path: Path) -> None:
    found, faults = read_all(tmp_path, task())
    faults.check()
    assert not found.labels
    assert [(i["file_name"], i["height"]) for i in found.images] == [("a.png", None)]
    assert not found.left_out
    assert not found.has_ids


SQUARE = [[10, 10], [20, 10], [20, 20]]
RESULTS = {
    "keypoint": (keypoint(), {"point": (20, 20)}),
    "rectangle": (rectangle(), {"box": (20, 10, 60, 20)}),
    "a full turn": (rectangle(360), {"box": (20, 10, 60, 20)}),
    "polygon": (
        result("polygonlabels", {"points": SQUARE, "closed": True, "polygonlabels": ["cat"]}),
        {"mask": [[8, 4, 16, 4, 16, 8]]},
    ),
    "other letters": (result("KeyPoint", {"x": 0, "y": 0, "labels": "cat"}), {"point": (0, 0)}),
}


@pytest.mark.parametrize(("given", "expected"), RESULTS.values(), ids=RESULTS.keys())
def test_each_kind_of_result_is_a_label_in_px(tmp_path: Path, given: Any, expected: Any) -> None:
    found, faults = read_all(tmp_path, task(given))
    faults.check()
    (label,) = found.labels
    forms = {name: getattr(label, name) for name in ("point", "box", "mask")}
    assert {name: value for name, value in forms.items() if value is not None} == expected
    assert label.place == "task 12: result 1"
    assert not label.is_relative
    assert (found.images[0]["height"], found.images[0]["width"]) == (HEIGHT, WIDTH)


def test_the_centre_of_the_first_pixel_is_at_one_half(tmp_path: Path) -> None:
    point, box = labels_of(
        tmp_path,
        keypoint(100 * 0.5 / WIDTH, 100 * 0.5 / HEIGHT),
        result("rectanglelabels", {"x": 0, "y": 0, "width": 100, "height": 100, "rotation": 0,
                                   "rectanglelabels": ["cat"]}),
    )  # fmt: skip
    assert point.point == pytest.approx((0.5, 0.5))
    assert box.box == (0, 0, WIDTH, HEIGHT)


def test_without_the_size_of_the_image_coordinates_are_shares(tmp_path: Path) -> None:
    absent = dict(original_width="absent", original_height="absent")
    old = task(keypoint(**absent), rectangle(**absent), completions=[], id=3)
    old["completions"] = old.pop("annotations")
    found, faults = read_all(tmp_path, old)
    faults.check()
    point, box = found.labels
    assert point.point == (0.25, 0.5)
    assert box.box == (0.25, 0.25, 0.75, 0.5)
    assert point.is_relative
    assert box.is_relative
    assert found.images[0]["width"] is None


def test_a_turned_rectangle_is_the_box_around_it(tmp_path: Path) -> None:
    found, faults = read_all(tmp_path, task(rectangle(90)))
    faults.check()
    assert found.labels[0].box == pytest.approx((10, 10, 20, 50))  # about (20, 10), 40 x 10 px
    assert found.told == {"rectangles that were turned, taken as the box around them": 1}


def test_an_ellipse_lies_about_its_centre(tmp_path: Path) -> None:
    value = {"x": 50, "y": 50, "radiusX": 10, "radiusY": 5, "rotation": 90}
    (label,) = labels_of(tmp_path, result("ellipselabels", {**value, "ellipselabels": ["cat"]}))
    corners = np.array(label.mask[0]).reshape(-1, 2) - [40, 20]
    assert np.abs(corners).max(axis=0) == pytest.approx([2, 8], rel=0.02)
    assert corners.mean(axis=0) == pytest.approx([0, 0], abs=1e-9)


def test_a_brush_is_carried_undecoded(tmp_path: Path) -> None:
    mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
    mask[5:9, 70:] = True
    value = {"format": "rle", "rle": list(codes_of(mask)), "brushlabels": ["cat"]}
    (label,) = labels_of(tmp_path, result("brushlabels", value))
    assert isinstance(label.mask, BrushRuns)
    (found,) = rles_to_masks([decoded_mask(label.mask, HEIGHT, WIDTH)])
    assert np.array_equal(found, mask)


PLACED = {"x": 25, "y": 50, "width": 1}


def test_a_class_may_stand_in_a_result_of_its_own(tmp_path: Path) -> None:
    pair = [
        result("labels", {**PLACED, "labels": ["dog"]}, id="x"),
        result("keypoint", PLACED, id="x"),
        keypoint(id="y"),
    ]
    found, faults = read_all(tmp_path, task(*pair))
    faults.check()
    assert [label.point for label in found.labels] == [(20, 20), (20, 20)]
    assert classes_of(found) == ["dog", "cat"]


def test_choices_are_tags_of_an_image_and_classes_of_a_region(tmp_path: Path) -> None:
    results = [
        result("choices", {"choices": ["day", "wet"]}, id="a"),
        result("keypoint", PLACED, id="x"),
        result("choices", {**PLACED, "choices": ["dog"]}, id="x"),
        keypoint(id="y"),
        result("choices", {**PLACED, "choices": ["bad"]}, id="y"),
    ]
    found, faults = read_all(tmp_path, task(*results))
    faults.check()
    assert classes_of(found) == ["day", "wet", "dog", "cat"]
    assert [label.point is None for label in found.labels] == [True, True, False, False]
    assert found.told == {"regions whose class is the choice made for them": 1}
    assert found.left_out == {"choices for regions that have a class": 1}


def test_the_first_of_several_classes_counts(tmp_path: Path) -> None:
    found, faults = read_all(tmp_path, task(keypoint(names=["cat", 3])))
    faults.check()
    assert classes_of(found) == ["cat"]
    assert found.told == {"regions of several classes, taken as their first": 1}


def test_what_is_no_label_is_counted(tmp_path: Path) -> None:
    results = [
        result("textarea", {"text": ["hello"]}),
        result("textarea", {**PLACED, "text": ["a cat"]}, id="x"),
        keypoint(id="x"),
        {"type": "relation", "from_id": "x", "to_id": "y"},
        result("labels", {"labels": ["dog"]}, id="z"),
        result("polygonlabels", {"points": SQUARE, "closed": False, "polygonlabels": ["cat"]}),
        keypoint(is_positive=False),
        result(HALF, {}),
    ]
    found, faults = read_all(tmp_path, task(*results, predictions=[{}, {}], drafts=[{}]))
    faults.check()
    assert len(found.labels) == 1
    assert found.left_out == {
        "predictions": 2,
        "drafts": 1,
        "results of kind textarea": 2,
        "results of kind relation": 1,
        "results of kind labels": 1,
        r"results of kind '\ud800.png'": 1,
        "polygons that are not closed": 1,
        "keypoints that say where an object is not": 1,
    }


EARLY, LATE = "2024-01-30T02:40:43.893578Z", "2024-02-01T00:00:00+02:00"
TIMES: dict[str, tuple[list[dict[str, Any]], int]] = {
    "by the change": ([{"updated_at": LATE}, {"updated_at": EARLY, "created_at": LATE}], 0),
    "by the creation": ([{"created_at": EARLY}, {"created_at": LATE}, {"updated_at": EARLY}], 1),
    "by the order": ([{}, {}], 1),
    "of equal times": ([{"updated_at": EARLY}, {"updated_at": EARLY}], 1),
    "seconds": ([{"created_at": 1600000000}, {"created_at": 1500000000}], 0),
    "no times": ([{"updated_at": EARLY}, {"updated_at": "today"}, {"updated_at": math.nan}], 0),
    "without a zone": ([{"updated_at": "2024-01-30T02:40:44"}, {"updated_at": EARLY}], 0),
}


@pytest.mark.parametrize(("times", "last"), TIMES.values(), ids=TIMES.keys())
def test_the_annotation_that_was_submitted_last_counts(
    tmp_path: Path, times: list[dict[str, Any]], last: int
) -> None:
    entries = [annotation(keypoint(names=[str(n)]), **time) for n, time in enumerate(times)]
    skipped = annotation(keypoint(), updated_at="2030-01-01T00:00:00Z", was_cancelled=True)
    found, faults = read_all(tmp_path, task(annotations=[*entries, skipped]))
    faults.check()
    assert classes_of(found) == [str(last)]
    assert found.left_out == {
        "annotations that were not the last submitted of their task": len(times) - 1,
        "annotations that were cancelled": 1,
    }


def test_a_task_that_nobody_labelled_is_left_out(tmp_path: Path) -> None:
    skipped = annotation(keypoint(), was_cancelled=True)
    found, faults = read_all(
        tmp_path, task(annotations=[]), task(annotations=[skipped]), task(annotations=None)
    )
    faults.check()
    assert not found.images
    assert found.left_out["tasks without a submitted annotation"] == 3


HERE = ["abcd1234-here.png", "plain.png", "sub/b c.png", "00000000-both.png", "both.png"]
NAMES = {  # what the task's data say, the photograph's name
    "an upload": ("/data/upload/1/abcd1234-here.png", "abcd1234-here.png"),
    "an upload without its prefix": ("/data/upload/1/abcd1234-plain.png", "plain.png"),
    "the prefix counts": ("/data/upload/1/00000000-both.png", "00000000-both.png"),
    "an upload that is nowhere": ("/data/upload/1/abcd1234-no.png", "abcd1234-no.png"),
    "no prefix of ours": ("/data/upload/1/ABCD1234-plain.png", "ABCD1234-plain.png"),
    "an upload's address": ("http://x:8080/data/upload/1/abcd1234-plain.png", "plain.png"),
    "a local file": ("/data/local-files/?d=home/x/sub/b%20c.png", "sub/b c.png"),
    "a local file, unquoted": ("/data/local-files/?d=home/x/sub/b c.png", "sub/b c.png"),
    "a local file that is nowhere": ("/data/local-files/?d=x/sub/no%20.png", "x/sub/no .png"),
    "a local file from the root": ("/data/local-files/?d=/x/no.png", "x/no.png"),
    "a local file of Windows": ("/data/local-files/?d=C%3A%5Cx%5Csub%5Cb c.png", "sub/b c.png"),
    "Windows": ("D:\\x\\sub\\b c.png", "sub/b c.png"),
    "Windows, nowhere": ("D:\\x\\no.png", "x/no.png"),
    "a bucket": ("s3://bucket/train/sub/b c.png", "sub/b c.png"),
    "a bucket, nowhere": ("gs://bucket/train/no.png", "no.png"),
    "an address": ("https://x.org/y/sub/b%20c.png?size=3#top", "sub/b c.png"),
    "an address, nowhere": ("https://x.org/y/no%20.png?d=3", "no%20.png"),
    "a path": ("sub/b c.png", "sub/b c.png"),
    "a path from the root": ("/elsewhere/x/plain.png", "plain.png"),
    "a path out of the folder": ("../../x/no.png", "x/no.png"),
    "a quoted path out": ("/data/local-files/?d=..%2F..%2Fx%2Fno.png", "x/no.png"),
    "a bucket's path out": ("s3://b/x/%2e%2e/..", None),
    "a zero byte": ("/x/n\0.png", "x/n\0.png"),
}


@pytest.mark.parametrize(("value", "name"), NAMES.values(), ids=NAMES.keys())
def test_a_photograph_is_named_by_what_is_in_the_folder(
    tmp_path: Path, value: str, name: str | None
) -> None:
    for here in HERE:
        path = tmp_path / "images" / here
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    source = write(tmp_path, [task(keypoint(), data={"image": value}, file_upload=None)])
    assert file_names(source, tmp_path / "images") == ([] if name is None else [name])
    assert sources(source, tmp_path / "images") == [source]


def test_the_uploaded_file_helps_to_find_a_name(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "real.png").touch()
    renamed = task(data={"image": "/data/upload/1/x.png"}, file_upload="12345678-real.png")
    assert [image["file_name"] for image in read_all(tmp_path, renamed)[0].images] == ["real.png"]


DATA = {
    "img": ({"img": "a.jpg", "other": "b.jpg"}, "a.jpg"),
    "the only picture": ({"text": "hello", "scan": "s3://x/y/a.TIFF"}, "a.TIFF"),
    "with a query": ({"photo_url": "http://x/a.png?x=1"}, "a.png"),
}


@pytest.mark.parametrize(("data", "name"), DATA.values(), ids=DATA.keys())
def test_the_photograph_is_found_in_the_data(tmp_path: Path, data: Any, name: str) -> None:
    found, faults = read_all(tmp_path, task(data=data))
    faults.check()
    assert [image["file_name"] for image in found.images] == [name]


def brushed(rle: Any, **more: Any) -> dict[str, Any]:
    kind = {"format": more.pop("format", "rle"), "rle": rle, "brushlabels": ["cat"]}
    return result("brushlabels", kind, **more)


def ellipse(**changes: Any) -> dict[str, Any]:
    value = {"x": 1, "y": 1, "radiusX": 1, "radiusY": 1, "ellipselabels": ["cat"]}
    return result("ellipselabels", {**value, **changes})


def polygon(points: Any) -> dict[str, Any]:
    return result("polygonlabels", {"points": points, "polygonlabels": ["cat"]})


ABSENT = dict(original_width=None, original_height=None)
FAULTS = {
    "no object": ([5], "result 1: 5 is no result with a type and a value"),
    "no type": ([result(None, {})], "is no result with a type"),
    "value is a list": ([result("keypointlabels", [])], "is no result with a type and a value"),
    "no x": ([result("keypointlabels", {"y": 1, "keypointlabels": ["cat"]})], "there is no 'x'"),
    "x is text": ([keypoint("left")], "keypoint: 'left' is no finite number"),
    "x is null": ([keypoint(None)], "None is no finite number"),
    "not finite": ([keypoint(math.inf)], "inf is no finite number"),
    "huge": ([keypoint(10**400)], "is no finite number"),
    "no class": ([keypoint(names=[])], "this region has no class. Give it one"),
    "a class is a list": ([keypoint(names=[["x"]])], r"\['x'\] is no text"),
    "turned image": ([keypoint(image_rotation=90)], "its image was turned by 90 degrees"),
    "odd turn": ([keypoint(image_rotation="x")], "rotation of the image: 'x' is no finite number"),
    "odd size": ([keypoint(original_width=0)], "size or rotation of the image: 0 is not from 1"),
    "sizes differ": (
        [keypoint(names=["sound"]), keypoint(original_width=9)],
        "result 2: image a.png is of 9 x 40 px here",
    ),
    "points are none": ([polygon(None)], "polygon: points None are no list of three or more"),
    "two points": ([polygon([[1, 1], [2, 2]])], "are no list of three or more"),
    "points of text": ([polygon([[1, 1], [2, 2], "ab"])], "'ab' is not a point"),
    "no radius": ([ellipse(radiusX=0)], "ellipse: its radii 0 and 0.4 are not above 0"),
    "no rle": ([brushed(None)], "its format 'rle' is not 'rle', a list of bytes"),
    "another format": ([brushed([], format="png")], "its format 'png' is not 'rle'"),
    "no bytes": ([brushed([300])], "what is no whole number from 0 to 255"),
    "huge bytes": ([brushed([10**400])], "what is no whole number from 0 to 255"),
    "text as bytes": ([brushed(["a"])], "what is no whole number from 0 to 255"),
    "a brush of no size": ([brushed([1], **ABSENT)], "original_width and original_height are not"),
    "turned, of no size": ([rectangle(30, **ABSENT)], "rectangle: it is turned"),
    "one id twice": ([keypoint(id="x"), keypoint(3, id="x")], "id 'x' is of several regions"),
}


@pytest.mark.parametrize(("results", "said"), FAULTS.values(), ids=FAULTS.keys())
def test_a_faulty_result_is_named_and_left_out(
    tmp_path: Path, results: list[Any], said: str
) -> None:
    found, faults = read_all(tmp_path, task(*results, keypoint(names=["sound"])))
    assert set(classes_of(found)) == {"sound"}
    with pytest.raises(ValueError, match=said) as caught:
        faults.check()
    assert "export.json: task 12: result " in str(caught.value)


TASKS = {
    "no object": (5, "entry 1: 5 is no task"),
    "no id": ({"data": None, "annotations": [annotation()]}, "entry 1: its data are None"),
    "no data": (task(data=[]), r"task 12: its data are \[\], no object"),
    "no photograph": (task(data={"text": "hello"}), r"its data \('text'\) name 0 photographs"),
    "two photographs": (task(data={"a": "a.png", "b": "b.png"}), "name 2 photographs. Call the"),
    "a list of photographs": (task(data={"image": ["a.png"]}), "name 0 photographs"),
    "no name": (task(data={"image": "/.."}), "name 0 photographs"),
    "a blank name": (task(data={"image": "\t"}), r"name of its photograph, '\\t' is no text"),
    "half a character": (task(data={"image": HALF}), r"photograph, '\\ud800.png' is no text"),
    "the picture itself": (task(data={"image": "data:image/png;base64,AA"}), "the picture itself"),
    "annotations are numbers": (task(annotations=[1]), r"its annotations \[1\] are no list of obj"),
    "annotations are text": (task(annotations="ab"), "its annotations 'ab' are no list"),
    "no result": (task(annotations=[{}]), "its result is None, no list"),
}


@pytest.mark.parametrize(("entry", "said"), TASKS.values(), ids=TASKS.keys())
def test_a_faulty_task_is_named_and_left_out(tmp_path: Path, entry: Any, said: str) -> None:
    sound = task(keypoint(), id=13, data={"image": "sound.png"})
    found, faults = read_all(tmp_path, entry, sound)
    assert len(found.labels) == 1
    with pytest.raises(ValueError, match=said):
        faults.check()


def test_two_tasks_of_one_photograph_are_refused(tmp_path: Path) -> None:
    _, faults = read_all(tmp_path, task(keypoint()), task(keypoint(), id=13))
    with pytest.raises(ValueError, match=r"task 13: it shows 'a.png', as task 12 does"):
        faults.check()


LINES = b'{"id": 1, "data": {}}\n{"id": 2, "data": {}}\n'
FILES = {
    "empty": (b"", "cannot be read as JSON"),
    "cut": (b'[{"id": 1', "cannot be read as JSON"),
    "not UTF-8": (b'["\xff"]', "cannot be read as JSON"),
    "a task a line": (LINES, "cannot be read as JSON"),
    "nested": (b"[" * 100_000, "nested too deeply"),
    "huge number": (b"[" + b"1" * 5000 + b"]", "cannot be read as JSON"),
    "no tasks": ([], "there is no list of tasks in it"),
    "of COCO": ({"images": [], "annotations": []}, "there is no list of tasks"),
    "JSON-MIN": ([{"image": "a.png", "id": 1, "annotator": 1, "kp": []}], "it is JSON-MIN, which"),
    "numbers": ([1, 2], "no task has data"),
}


@pytest.mark.parametrize(("data", "said"), FILES.values(), ids=FILES.keys())
def test_a_file_that_is_no_export_is_refused(tmp_path: Path, data: Any, said: str) -> None:
    source = write(tmp_path, data)
    with pytest.raises(
        ValueError, match=f"{said}.*Choose JSON, the first of the formats"
    ) as caught:
        read(source, tmp_path, Faults(source))
    assert str(caught.value).startswith(f"{source}: ")


def test_no_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="this file is missing"):
        read(tmp_path / "none.json", tmp_path, Faults(tmp_path))
    with pytest.raises(ValueError, match="cannot be read as JSON"):
        read(tmp_path, tmp_path, Faults(tmp_path))


def read_and_check(source: Path) -> None:
    faults = Faults(source)
    read(source, source.parent, faults)
    faults.check()


@pytest.mark.parametrize("depth", range(850, 1000, 10))
def test_no_depth_ends_in_a_traceback(tmp_path: Path, depth: int) -> None:
    deep = "[" * depth + "]" * depth
    text = json.dumps([task(polygon("DEEP"), polygon("DEEP"))]).replace('"DEEP"', deep)
    source = write(tmp_path, text.encode())
    with pytest.raises(ValueError, match=r"nested too deeply|are no list of three"):
        read_and_check(source)


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    source = write(tmp_path, json.dumps([task(keypoint())]).encode("utf-8-sig"))
    assert len(read(source, tmp_path, Faults(source)).labels) == 1
