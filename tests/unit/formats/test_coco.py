"""COCO files from strangers: each fault has its sentence."""

import json
from pathlib import Path
from typing import Any

import pytest

from stages.formats.coco import file_names, labelled, read, read_coco, sources
from stages.formats.format import Labelled
from stages.runtime.faults import Faults


def coco(**changes: Any) -> dict[str, Any]:
    data = {
        "images": [{"id": 2, "file_name": "b.png", "height": 4, "width": 5}],
        "annotations": [{"id": 7, "image_id": 2, "category_id": 1, "point": [1, 2]}],
        "categories": [{"id": 1, "name": "dog"}],
    }
    return {**data, **changes}


def write(folder: Path, data: Any) -> Path:
    path = folder / "labels.json"
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return path


ANNOTATION = coco()["annotations"][0]
FAULTS = {
    "no annotations": (coco(annotations=[]), "no annotations"),
    "not JSON": ("{", "not a JSON file"),
    "a list": ([], "no object"),
    "no categories": ({"images": [], "annotations": []}, "no list 'categories'"),
    "id twice": (coco(annotations=[ANNOTATION, ANNOTATION]), "id 7 is there twice"),
    "image id twice": (coco(images=coco()["images"] * 2), "id 2 is there twice in images"),
    "unknown image": (coco(annotations=[{**ANNOTATION, "image_id": 9}]), "unknown image_id 9"),
    "unknown category": (coco(annotations=[{**ANNOTATION, "category_id": 3}]), "category_id 3"),
    "no file name": (coco(images=[{"id": 2, "height": 1, "width": 1}]), "has no file_name"),
    "negative id": (
        coco(annotations=[{**ANNOTATION, "id": -1}]),
        "annotation -1 .* has a wrong id: -1 is not from 0",
    ),
    "entry is no object": (coco(categories=[3]), "entry 0 of categories"),
}


@pytest.mark.parametrize(("data", "said"), FAULTS.values(), ids=FAULTS.keys())
def test_read_coco_says_what_is_wrong(tmp_path: Path, data: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_coco(write(tmp_path, data))


def test_read_coco_names_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="missing"):
        read_coco(tmp_path / "none.json")


def test_read_coco_sorts_by_id(tmp_path: Path) -> None:
    images = [{**coco()["images"][0], "id": number} for number in (5, 2)]
    assert [i["id"] for i in read_coco(write(tmp_path, coco(images=images))).images] == [2, 5]


def test_labelled_leaves_crowds_out() -> None:
    assert labelled([{"id": 1, "iscrowd": 1}, {"id": 2}, {"id": 3, "iscrowd": 0}]) == [
        {"id": 2},
        {"id": 3, "iscrowd": 0},
    ]


def readable(folder: Path, data: Any) -> Labelled:
    path = write(folder, data)
    faults = Faults(path)
    found = read(path, folder, faults)
    faults.check()
    return found


def entry(**changes: Any) -> dict[str, Any]:
    """A file whose one annotation is changed."""
    return coco(annotations=[{**ANNOTATION, **changes}])


def image(**changes: Any) -> dict[str, Any]:
    return coco(images=[{**coco()["images"][0], **changes}])


def kind(**changes: Any) -> dict[str, Any]:
    return coco(categories=[{**coco()["categories"][0], **changes}])


WRONG = {
    "a short point": (entry(point=[1]), r"annotation 7: \[1\] is not \[x, y\] in px. Correct"),
    "a point of text": (entry(point="ab"), r"'ab' is not \[x, y\] in px"),
    "a point with a null": (entry(point=[1, None]), "None is no finite number"),
    "a point with NaN": (entry(point=[1, float("nan")]), "nan is no finite number"),
    "a point with a truth": (entry(point=[True, 2]), "True is no finite number"),
    "key points of text": (entry(point=None, keypoints=["a", 1, 2]), "'a' is no finite number"),
    "a third of a key point": (entry(point=None, keypoints=[1]), "is not keypoints"),
    "a box of three": (entry(bbox=[1, 2, 3]), r"a wrong bbox: \[1, 2, 3\] is not \[x, y, width"),
    "a box with infinity": (entry(bbox=[1, 2, 3, float("inf")]), "inf is no finite number"),
    "a class that is true": (entry(category_id=True), "a wrong category_id: True is no whole"),
    "an id beyond 64 bits": (entry(id=2**63), "a wrong id: 9223372036854775808 is not from 0"),
    "a class beyond 32 bits": (
        coco(categories=[*coco()["categories"], {"id": 2**31, "name": "cat"}]),
        "category 2147483648 .* a wrong id: 2147483648 is not from 0",
    ),
    "an id with a fraction": (entry(id=1.5), "a wrong id: 1.5 is no whole number"),
    "a crowd that is a word": (entry(iscrowd="perhaps"), "'perhaps' is neither 0 nor 1"),
    "a name that is a list": (image(file_name=["a"]), "image 2 .* a wrong file_name"),
    "no name": (image(file_name=None), "None is no text"),
    "a negative size": (image(height=-4), "a wrong height: -4 is not from 0"),
    "a size that no photograph has": (
        image(width=2**31 - 1),
        "2147483647 is not from 0 to 1000000",
    ),
    "a size that is a word": (image(width="wide"), "a wrong width: 'wide' is no whole number"),
    "a class without a name": (kind(name=None), "category 1 .* a wrong name"),
}


@pytest.mark.parametrize(("data", "said"), WRONG.values(), ids=WRONG)
def test_a_value_of_another_type_is_told_with_its_place(
    tmp_path: Path, data: Any, said: str
) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        readable(tmp_path, data)
    assert "\n" not in str(caught.value)  # what follows from a fault is not told again


TAKEN: dict[str, tuple[Any, Any, Any]] = {
    "an id of text": (entry(id="8"), lambda found: found.labels[0].id, 8),
    "an id with .0": (entry(id=8.0), lambda found: found.labels[0].id, 8),
    "a point of text": (entry(point=["1.5", 2]), lambda found: found.labels[0].point, (1.5, 2)),
    "a name that is a number": (image(file_name=1), lambda f: f.images[0]["file_name"], "1"),
    "a size of text": (image(height="4"), lambda found: found.images[0]["height"], 4),
    "a size of null": (image(height=None), lambda found: found.images[0]["height"], None),
    "a size of 0": (image(height=0), lambda found: found.images[0]["height"], None),
    "a crowd of text": (entry(iscrowd="1"), lambda found: found.labels[0].is_crowd, True),
    "no crowd of text": (entry(iscrowd="0"), lambda found: found.labels[0].is_crowd, False),
    "no supercategory": (
        kind(supercategory=None),
        lambda found: found.categories[0]["supercategory"],
        "",
    ),
}


@pytest.mark.parametrize(("data", "look", "wanted"), TAKEN.values(), ids=TAKEN)
def test_a_value_of_another_type_is_taken_where_it_is_clear(
    tmp_path: Path, data: Any, look: Any, wanted: Any
) -> None:
    assert look(readable(tmp_path, data)) == wanted


def test_all_faults_are_told_in_one_run(tmp_path: Path) -> None:
    entries = [{**ANNOTATION, "id": number, "category_id": 9} for number in range(25)]
    with pytest.raises(ValueError, match="25 annotations of an unknown category_id") as caught:
        readable(tmp_path, coco(annotations=[*entries, {**ANNOTATION, "id": 30, "bbox": "b"}]))
    lines = str(caught.value).splitlines()
    assert sum("has the unknown category_id 9" in line for line in lines) == 20
    assert any("... and 5 more annotations of an unknown category_id" in line for line in lines)
    assert any("annotation 30" in line and "wrong bbox" in line for line in lines)


def test_training_and_scoring_need_sizes(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"image 2 \(b\.png\) has no height and width"):
        read_coco(write(tmp_path, image(width=None)))


def test_read_takes_what_each_annotation_holds(tmp_path: Path) -> None:
    box, mask = [1, 1, 2, 3], [[0, 0, 3, 0, 3, 3]]
    more: list[dict[str, Any]] = [
        {},
        {"bbox": box},
        {"segmentation": mask, "bbox": []},
        {"point": None},
    ]
    entries = [{**ANNOTATION, "id": number, **entry} for number, entry in enumerate(more)]
    file = readable(tmp_path, coco(annotations=[*entries, {**ANNOTATION, "iscrowd": 1}]))
    assert [label.point for label in file.labels] == [(1, 2), (1, 2), (1, 2), None, (1, 2)]
    assert [label.box for label in file.labels] == [None, (1, 1, 3, 4), None, None, None]
    assert [label.mask for label in file.labels] == [None, None, mask, None, None]
    assert [label.is_crowd for label in file.labels] == [False] * 4 + [True]
    assert file.labels[0].place == "annotation 0"
    assert file.has_ids


KEY_POINTS: dict[str, tuple[list[float], Any]] = {
    "none": ([], None),
    "not labelled": ([0, 0, 0], None),
    "one": ([1.5, 2, 2], (1.5, 2)),
    "one that is hidden": ([1.5, 2, 1], (1.5, 2)),
    "one of three": ([0, 0, 0, 3, 4, 2, 0, 0, 0], (3, 4)),
    "two": ([1, 1, 2, 3, 4, 2], None),
}


@pytest.mark.parametrize(("values", "point"), KEY_POINTS.values(), ids=KEY_POINTS)
def test_one_labelled_key_point_is_a_point(values: Any, point: Any, tmp_path: Path) -> None:
    file = readable(tmp_path, entry(point=None, keypoints=values))
    assert file.labels[0].point == point
    assert sum(file.told.values()) == (len(values) == 6)


def test_an_own_point_goes_before_key_points(tmp_path: Path) -> None:
    assert readable(tmp_path, entry(keypoints=[3, 3, 2])).labels[0].point == (1, 2)


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(coco()).encode())
    assert len(read(path, tmp_path, Faults(path)).labels) == 1


def test_the_folder_of_fiftyone_has_its_labels_in_one_file(tmp_path: Path) -> None:
    path = write(tmp_path, coco())
    assert len(read(tmp_path, tmp_path / "data", Faults(tmp_path)).labels) == 1
    assert sources(tmp_path, tmp_path) == [path]
    assert file_names(tmp_path, tmp_path) == ["b.png"]
    assert sources(tmp_path / "none.json", tmp_path) == [tmp_path / "none.json"]
