"""The example that joins COCO files: ids anew, classes by name, and what PHOTOS points at."""

import json
import os
import runpy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from stages.formats.coco import read_coco

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "photographs_coco.py"
MAIN = runpy.run_path(str(EXAMPLE))["main"]


def file(path: Path, names: Sequence[str]) -> str:
    """A file with one image and an object of each of these classes, ids from 1."""
    box = {"image_id": 1, "iscrowd": 0, "bbox": [0, 0, 2, 2], "area": 4}
    data: dict[str, Any] = {
        "info": {"source": "mine"},
        "images": [
            {"id": 1, "file_name": f"{path.stem}.jpg", "width": 4, "height": 3, "coco_id": 9}
        ],
        "annotations": [{**box, "id": k, "category_id": k} for k, _ in enumerate(names, start=1)],
        "categories": [{"id": k, "name": name} for k, name in enumerate(names, start=1)],
    }
    path.write_text(json.dumps(data))
    return str(path)


def joined(folder: Path, *names: Sequence[str], own: bool = False) -> dict[str, Any]:
    files = [file(folder / f"{k}.json", classes) for k, classes in enumerate(names)]
    out = folder / "deep" / "out.json"
    MAIN([*(["--own"] * own), str(out), *files])
    read_coco(out)  # sound, or it says what is wrong
    return dict(json.loads(out.read_text()))


def classes_of(coco: dict[str, Any]) -> list[tuple[int, str, str]]:
    """Image, own class and given class of each object."""
    names = {entry["id"]: entry["name"] for entry in coco["categories"]}
    return [(a["image_id"], a["name"], names[a["category_id"]]) for a in coco["annotations"]]


def test_files_with_the_same_ids_become_one_with_supercategories(tmp_path: Path) -> None:
    coco = joined(tmp_path, ["cat", "bowl"], ["horse"])
    assert [(image["id"], image["file_name"]) for image in coco["images"]] == [
        (1, "0.jpg"),
        (2, "1.jpg"),
    ]
    assert [entry["id"] for entry in coco["annotations"]] == [1, 2, 3]
    assert classes_of(coco) == [
        (1, "cat", "animal"),
        (1, "bowl", "kitchen"),
        (2, "horse", "animal"),
    ]
    assert {image["coco_id"] for image in coco["images"]} == {9}


def test_own_classes_are_joined_by_name(tmp_path: Path) -> None:
    coco = joined(tmp_path, ["gnu", "bowl"], ["bowl", "gnu"], own=True)
    assert [name for _, _, name in classes_of(coco)] == ["gnu", "bowl", "bowl", "gnu"]
    assert [entry["name"] for entry in coco["categories"]] == ["bowl", "gnu"]


def test_a_class_that_is_none_of_cocos_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"none of COCO's: gnu, yak\. Use --own"):
        joined(tmp_path, ["cat", "yak", "gnu"])


@pytest.mark.coco_tiny
def test_supercategories_are_those_of_cocos_own_file() -> None:
    path = Path(os.environ["COCO_TINY"]) / "annotations" / "instances_val2017.json"
    categories = json.loads(path.read_text())["categories"]
    wanted = {entry["name"]: entry["supercategory"] for entry in categories}
    assert runpy.run_path(str(EXAMPLE))["OF_CLASS"] == wanted


@pytest.mark.photos
def test_the_photographs_that_the_recipe_measures_on(tmp_path: Path) -> None:
    files = sorted((Path(os.environ["PHOTOS"]) / "measure").glob("*.json"))
    out = tmp_path / "photographs.json"
    MAIN([str(out), *map(str, files)])
    coco = read_coco(out)
    counts = len(coco.images), len(coco.annotations), len(coco.categories)
    assert counts == (181, 951, 12)
    folder = Path(os.environ["PHOTOS"])
    assert all((folder / image["file_name"]).is_file() for image in coco.images)


def test_a_folder_is_put_before_the_names_of_its_photographs(tmp_path: Path) -> None:
    paths = [file(tmp_path / f"{name}.json", ["cat"]) for name in "ab"]
    out = tmp_path / "out.json"
    MAIN([str(out), f"val2017={paths[0]}", paths[1]])
    names = [image["file_name"] for image in json.loads(out.read_text())["images"]]
    assert names == ["val2017/a.jpg", "b.jpg"]
