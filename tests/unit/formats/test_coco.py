"""COCO files from strangers: each fault has its sentence."""

import json
from pathlib import Path
from typing import Any

import pytest

from stages.formats.coco import labelled, read, read_coco


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
    "negative id": (coco(annotations=[{**ANNOTATION, "id": -1}]), "no whole number from 0"),
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


ODD_POINTS = [[1], "ab", [1, None], [1, float("nan")], ["1", 2], [True, 2]]


@pytest.mark.parametrize("point", ODD_POINTS)
def test_read_refuses_what_is_no_point(tmp_path: Path, point: Any) -> None:
    data = coco(annotations=[{**ANNOTATION, "point": point}])
    with pytest.raises(ValueError, match=r"annotation 7 has point .*, not \[x, y\] in px"):
        read(write(tmp_path, data))


def test_read_takes_what_each_annotation_holds(tmp_path: Path) -> None:
    box, mask = [1, 1, 2, 3], [[0, 0, 3, 0, 3, 3]]
    more: list[dict[str, Any]] = [
        {},
        {"bbox": box},
        {"segmentation": mask, "bbox": []},
        {"point": None},
    ]
    entries = [{**ANNOTATION, "id": number, **entry} for number, entry in enumerate(more)]
    file = read(write(tmp_path, coco(annotations=[*entries, {**ANNOTATION, "iscrowd": 1}])))
    assert [label.point for label in file.labels] == [(1, 2), (1, 2), (1, 2), None]
    assert [label.box for label in file.labels] == [None, (1, 1, 3, 4), None, None]
    assert [label.mask for label in file.labels] == [None, None, mask, None]
    assert file.crowds == 1
