"""Objects of a COCO file as arrays: masks where all have one, crowds apart, damage named."""

import json
from pathlib import Path
from typing import Any

import pytest

from stages.geometry.masks import rle_areas
from stages.scoring.coco_shapes import CocoShapes

SQUARE = [[2, 3, 12, 3, 12, 13, 2, 13]]  # 10 x 10 px


def write(path: Path, *annotations: dict[str, Any], name: str = "thing") -> Path:
    data = {
        "images": [{"id": k, "file_name": f"{k}.png", "height": 20, "width": 30} for k in (1, 2)],
        "categories": [{"id": 7, "name": name}, {"id": 8, "name": "other"}],
        "annotations": [
            {"id": number, "image_id": 1, "category_id": 7, **entry}
            for number, entry in enumerate(annotations)
        ],
    }
    path.write_text(json.dumps(data))
    return path


def test_an_image_without_objects_has_none(tmp_path: Path) -> None:
    file = CocoShapes(write(tmp_path / "a.json", {"segmentation": SQUARE}))
    for image_id in (2, 99):
        assert len(file.objects(image_id)) == len(file.crowds(image_id)) == 0


def test_objects_and_crowds_are_apart(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.json",
        {"segmentation": SQUARE, "category_id": 8, "score": 0.5},
        {"segmentation": SQUARE, "iscrowd": 1},
        {"segmentation": SQUARE, "bbox": [2, 3, 10.5, 10], "score": 0.25},
        {"segmentation": [[2, 3, 2, 3, 2, 3]]},  # without a pixel
    )
    file = CocoShapes(path)
    seen = file.objects(1)
    assert file.is_masked
    assert seen.category_id.tolist() == [8, 7]
    assert seen.boxes.tolist() == [[2, 3, 12, 13], [2, 3, 12.5, 13]]
    assert rle_areas(seen.rles or []).tolist() == [100, 100]
    assert seen.scores is not None
    assert seen.scores.tolist() == [0.5, 0.25]
    assert file.crowds(1).category_id.tolist() == [7]


def test_where_one_has_no_mask_all_are_boxes(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", {"segmentation": SQUARE, "score": 1}, {"bbox": [0, 0, 4, 5]})
    file = CocoShapes(path)
    seen = file.objects(1)
    assert not file.is_masked
    assert (seen.rles, seen.scores) == (None, None)
    assert seen.boxes.tolist() == [[2, 3, 12, 13], [0, 0, 4, 5]]


def test_a_shape_that_is_not_there_or_does_not_fit_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="annotation 1 has neither bbox nor segmentation"):
        CocoShapes(write(tmp_path / "a.json", {"bbox": [0, 0, 4, 5]}, {})).objects(1)
    odd = {"segmentation": {"size": [5, 5], "counts": [25]}}
    with pytest.raises(ValueError, match=r"annotation 0: RLE of size \[5, 5\]"):
        CocoShapes(write(tmp_path / "a.json", odd)).objects(1)


def test_a_file_of_other_images_or_classes_is_refused(tmp_path: Path) -> None:
    first = CocoShapes(write(tmp_path / "a.json", {"segmentation": SQUARE}))
    other = CocoShapes(write(tmp_path / "b.json", {"segmentation": SQUARE}, name="dog"))
    first.check_images([])
    first.check_images([1, 44])
    first.check_classes(first)
    with pytest.raises(ValueError, match="none of the 2 images is in this file"):
        first.check_images([44, 45])
    with pytest.raises(ValueError, match="category 7 is 'thing' here and 'dog' in"):
        first.check_classes(other)
