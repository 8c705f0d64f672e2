"""Datumaro keeps scores; of class 0 it keeps no class, and it reads VOC's boxes a pixel off."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datumaro
import numpy as np
import pytest

from tests.written_labels import MASKS, RING, SMALL

NAMES = ["cat", "dog & <co>", "unseen"]


def _labels(dataset: Any) -> list[str]:
    return [entry.name for entry in dataset.categories()[datumaro.AnnotationType.label]]


def _of(dataset: Any, kind: str) -> list[Any]:
    (item,) = [item for item in dataset if item.id == "sub/a.b"]
    found = [annotation for annotation in item.annotations if annotation.type.name == kind]
    return sorted(found, key=lambda annotation: (annotation.id, annotation.group))


@pytest.fixture
def opened(written: Path, tmp_path: Path) -> Iterator[Any]:
    """Opens a folder of COCO labels, laid out as Datumaro wants it."""

    def of(name: str) -> Any:
        (tmp_path / "annotations").mkdir()
        target = tmp_path / "annotations" / "instances_default.json"
        shutil.copy(written / name / "annotations.json", target)
        shutil.copytree(written / "images", tmp_path / "images" / "default")
        return datumaro.Dataset.import_from(str(tmp_path), "coco_instances")

    return of


@pytest.mark.parametrize(("name", "label"), [("coco_rle", None), ("coco_rle_from_one", 0)])
def test_codes_and_scores_come_back_and_classes_from_one_on(
    name: str, label: int | None, opened: Any
) -> None:
    dataset = opened(name)
    assert _labels(dataset) == NAMES
    found = _of(dataset, "mask")
    assert np.array_equal([mask.image for mask in found], MASKS)
    assert [mask.label for mask in found] == [label] * 3
    assert {mask.attributes["score"] for mask in found} == {0.75}


def test_polygons_come_back_with_their_fragments_grouped(opened: Any) -> None:
    found = _of(opened("coco_polygons_from_one"), "polygon")
    assert [polygon.group for polygon in found] == [11, 12, 12, 13]
    assert {polygon.label for polygon in found} == {0}


def test_voc_gives_masks_but_for_overlap_and_boxes_as_they_are_written(
    written: Path, tmp_path: Path
) -> None:
    shutil.copytree(written / "voc", tmp_path / "voc")
    shutil.copytree(written / "images", tmp_path / "voc" / "JPEGImages")
    dataset = datumaro.Dataset.import_from(str(tmp_path / "voc"), "voc")
    assert _labels(dataset) == ["background", *NAMES]
    found = _of(dataset, "mask")
    assert np.array_equal([mask.image for mask in found], [RING & ~SMALL, *MASKS[1:]])
    boxes = [box.points for box in _of(dataset, "bbox")]
    assert boxes[0] == [3, 4, 12, 11]  # xmin is taken for an edge that counts from 0


def test_yolo_segments_are_not_read(written: Path) -> None:
    dataset = datumaro.Dataset.import_from(str(written / "yolo"), "yolo")
    assert _labels(dataset) == NAMES
    assert not any(item.annotations for item in dataset)
