"""sahi wants polygons: it keeps no codes, and no scores."""

from pathlib import Path
from typing import Any

import pytest
from sahi.utils.coco import Coco


def _annotations(written: Path, name: str) -> list[Any]:
    coco = Coco.from_coco_dict_or_path(str(written / name / "annotations.json"))
    return [annotation for image in coco.images for annotation in image.annotations]


def test_codes_leave_boxes_alone(written: Path) -> None:
    found = _annotations(written, "coco_rle")
    assert [annotation.segmentation for annotation in found] == [[]] * 5
    assert found[0].bbox == [2, 3, 10, 8]


@pytest.mark.parametrize("name", ["coco_polygons", "coco_polygons_from_one"])
def test_polygons_come_back_with_class_0(name: str, written: Path) -> None:
    found = _annotations(written, name)
    assert [len(annotation.segmentation) for annotation in found] == [1, 2, 1, 1, 1]
    assert [annotation.category_name for annotation in found] == ["cat"] * 3 + ["dog & <co>"] * 2
    assert found[0].bbox == pytest.approx([2.02, 3.02, 9.96, 7.96])  # of the ring, not the file's
    assert not hasattr(found[0], "score")
