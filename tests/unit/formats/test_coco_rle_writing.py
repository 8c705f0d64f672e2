import json
from pathlib import Path

from stages.formats.coco_rle_writing import write
from stages.formats.pseudo_label_file import opened_labels
from tests.written_labels import CATEGORIES, IMAGES, usual, write_labels


def test_no_annotations_give_an_empty_list(tmp_path: Path) -> None:
    counts = write(opened_labels(write_labels(tmp_path, []), "keep"), tmp_path)
    assert counts == {"images": 3, "annotations": 0}
    assert json.loads((tmp_path / "annotations.json").read_text())["annotations"] == []


def test_with_their_own_numbers_the_labels_are_the_same(tmp_path: Path) -> None:
    path = write_labels(tmp_path, usual(), categories=sorted(CATEGORIES, key=lambda c: c["id"]))
    write(opened_labels(path, "keep"), tmp_path)
    assert (tmp_path / "annotations.json").read_text() == path.read_text()


def test_from_one_only_numbers_of_classes_differ(tmp_path: Path) -> None:
    path = write_labels(tmp_path, usual())
    assert write(opened_labels(path, "from_one"), tmp_path) == {"images": 3, "annotations": 5}
    found = json.loads((tmp_path / "annotations.json").read_text())
    assert found["images"] == IMAGES
    numbers = {0: 1, 3: 2, 9: 3}
    assert found["annotations"] == [
        entry | {"category_id": numbers[entry["category_id"]]} for entry in usual()
    ]
    assert {entry["name"]: entry["id"] for entry in found["categories"]} == {
        entry["name"]: numbers[entry["id"]] for entry in CATEGORIES
    }
