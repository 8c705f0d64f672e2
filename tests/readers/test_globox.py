"""globox is for boxes alone: it keeps COCO's scores, loses masks, reads VOC's boxes a pixel off."""

from pathlib import Path

import pytest
from globox import AnnotationSet

BOXES = [(2, 3, 12, 11), (0, 0, 30, 20), (9, 9, 14, 12)]
LONE = "ü <&>.png"  # globox does not look into folders


@pytest.mark.parametrize("name", ["coco_rle", "coco_polygons", "coco_rle_from_one"])
def test_coco_gives_boxes_classes_and_scores(name: str, written: Path) -> None:
    found = AnnotationSet.from_coco(written / name / "annotations.json")["sub/a.b.jpg"].boxes
    assert [box.ltrb for box in found] == BOXES
    assert {(box.label, box.confidence) for box in found} == {("cat", 0.75)}


def test_voc_gives_boxes_as_they_are_written(written: Path) -> None:
    found = AnnotationSet.from_pascal_voc(written / "voc" / "Annotations")[LONE].boxes
    assert [box.ltrb for box in found] == [(2, 3, 30, 13), (10, 10, 14, 12)]
    assert {(box.label, box.confidence) for box in found} == {("dog & <co>", None)}


def test_labelme_gives_rectangles_and_polygons(written: Path) -> None:
    found = AnnotationSet.from_labelme(written / "labelme", include_poly=True)[LONE].boxes
    assert [box.ltrb for box in found] == [(1.5, 2.25, 30, 12.25), (9.02, 9.02, 13.98, 11.98)]
