"""supervision loses scores; it rounds rings, so that masks of polygons are a pixel too wide."""

from pathlib import Path

import numpy as np
import supervision as sv

from tests.written_labels import MASKS, PARTS, RING

BOXES = [[2, 3, 12, 11], [0, 0, 30, 20], [9, 9, 14, 12]]


def _of_first(dataset: sv.DetectionDataset) -> sv.Detections:
    (found,) = [labels for path, _, labels in dataset if "a.b" in path]
    return found


def _masks(found: sv.Detections) -> list[np.ndarray]:
    assert found.mask is not None
    return [np.asarray(mask).astype(bool) for mask in found.mask]


def _iou(first: np.ndarray, second: np.ndarray) -> float:
    return float((first & second).sum() / (first | second).sum())


def _coco(written: Path, name: str) -> sv.DetectionDataset:
    path = written / name / "annotations.json"
    return sv.DetectionDataset.from_coco(str(written / "images"), str(path), force_masks=True)


def test_codes_give_the_same_masks_and_class_0(written: Path) -> None:
    dataset = _coco(written, "coco_rle")
    found = _of_first(dataset)
    assert np.array_equal(_masks(found), MASKS)
    assert found.xyxy.tolist() == BOXES
    assert dataset.classes == ["cat", "dog & <co>", "unseen"]
    assert found.class_id is not None
    assert found.class_id.tolist() == [0, 0, 0]
    assert found.confidence is None  # the scores are lost


def test_rounded_rings_are_a_pixel_wider_on_two_sides(written: Path) -> None:
    for mask, found in zip(MASKS, _masks(_of_first(_coco(written, "coco_polygons"))), strict=True):
        wider = mask | np.roll(mask, 1, 0) | np.roll(mask, 1, 1) | np.roll(mask, (1, 1), (0, 1))
        assert not (found & ~wider).any()
        assert 0.6 < _iou(found, mask) < 0.8  # these objects are small


def test_yolo_lines_give_boxes_and_wider_masks(written: Path) -> None:
    labels = written / "yolo" / "labels" / "sub"
    data = written / "yolo" / "data.yaml"
    dataset = sv.DetectionDataset.from_yolo(
        str(written / "images" / "sub"), str(labels), str(data), force_masks=True
    )
    found = _of_first(dataset)
    assert np.allclose(found.xyxy, BOXES, atol=0.03)
    assert dataset.classes == ["cat", "dog & <co>", "unseen"]
    ring, parts, _ = _masks(found)
    assert _iou(ring, RING) > 0.7
    assert parts[PARTS].all()  # and a cut between the fragments


def test_voc_boxes_are_exact_and_its_pictures_are_not_read(written: Path) -> None:
    folder = written / "voc" / "Annotations" / "sub"
    dataset = sv.DetectionDataset.from_pascal_voc(str(written / "images" / "sub"), str(folder))
    found = _of_first(dataset)
    assert found.xyxy.tolist() == BOXES
    assert found.mask is None
    assert dataset.classes == ["cat"]  # of those that it meets
