"""detectron2 loses scores alone; it is not on PyPI, so this runs where it is installed."""

from pathlib import Path

import numpy as np
import pytest

from tests.written_labels import MASKS, SIZE

data = pytest.importorskip("detectron2.data.datasets", reason="detectron2 is not on PyPI")


@pytest.mark.parametrize("name", ["coco_rle", "coco_polygons", "coco_polygons_from_one"])
def test_every_annotation_is_loaded_with_its_class_from_0_on(name: str, written: Path) -> None:
    path = str(written / name / "annotations.json")
    found = data.load_coco_json(path, str(written / "images"), f"written_{name}")
    classes = [entry["category_id"] for record in found for entry in record["annotations"]]
    assert sorted(classes) == [0, 0, 0, 1, 1]
    assert all(entry["segmentation"] for record in found for entry in record["annotations"])


@pytest.mark.parametrize("name", ["coco_rle", "coco_polygons"])
def test_a_training_sees_the_same_masks(name: str, written: Path) -> None:
    utils = pytest.importorskip("detectron2.data.detection_utils")
    path = str(written / name / "annotations.json")
    first, *_ = data.load_coco_json(path, str(written / "images"), f"trained_{name}")
    made = utils.annotations_to_instances(first["annotations"], SIZE, mask_format="bitmask")
    assert np.array_equal(made.gt_masks.tensor.numpy(), MASKS)
    assert made.gt_classes.tolist() == [0, 0, 0]


def test_run_length_codes_need_the_format_bitmask(written: Path) -> None:
    utils = pytest.importorskip("detectron2.data.detection_utils")
    path = str(written / "coco_rle" / "annotations.json")
    first, *_ = data.load_coco_json(path, str(written / "images"), "as_polygons")
    with pytest.raises(ValueError, match="polygon"):
        utils.annotations_to_instances(first["annotations"], SIZE, mask_format="polygon")


def test_keys_of_ours_are_dropped_by_a_stock_loader(written: Path) -> None:
    path = str(written / "coco_rle" / "annotations.json")
    first, *_ = data.load_coco_json(path, str(written / "images"), "without_our_keys")
    keys = {"mask_weight", "score", "extra_masks"}
    assert not any(keys & set(entry) for entry in first["annotations"])
