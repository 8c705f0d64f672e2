"""What a detector trains on: crowds and empty images out, mirrored pairs, one batch per step."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stages.engines.labels import Labels, StepReader
from stages.engines.samples import Batch, mirrored
from stages.settings.train import Train
from tests.rectangles import SIDE, write_rectangles


def edit(path: Path, number: int, **changes: Any) -> Path:
    data = json.loads(path.read_text())
    data["annotations"][number] |= changes
    path.write_text(json.dumps(data))
    return path


def read(path: Path, step: int, **settings: Any) -> Batch:
    reader = StepReader(path.parent, Labels(path), Train(**{"batch_images": 2, **settings}), 0)
    return reader(step)


def test_crowds_alone_leave_nothing_to_train_on(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="all annotations are crowds"):
        Labels(write_rectangles(tmp_path, 1, iscrowd=1))


def test_images_without_objects_and_crowds_are_left_out(tmp_path: Path) -> None:
    path = edit(write_rectangles(tmp_path), 0, iscrowd=1)
    labels = Labels(path)
    assert labels.image_ids == [1, 2, 3, 4]
    assert labels.without_objects == 1
    assert labels.annotations == 7
    assert labels.objects(1).labels.tolist() == [2]  # the second of three classes


@pytest.mark.parametrize(
    "box", [None, [1, 2, 3], [0, 0, 0, 5], [0, 0, float("nan"), 5], [5, 5, -1, 2]]
)
def test_a_box_without_area_is_refused_by_name(tmp_path: Path, box: Any) -> None:
    path = edit(write_rectangles(tmp_path), 2, bbox=box)
    with pytest.raises(ValueError, match="annotation 3 has bbox"):
        Labels(path)


def test_the_mask_weight_defaults_to_1_and_is_0_without_a_mask(tmp_path: Path) -> None:
    path = edit(edit(write_rectangles(tmp_path), 0, mask_weight=0.0), 2, segmentation=[])
    labels = Labels(path)
    assert labels.objects(1).mask_weight.tolist() == [0, 1]
    assert labels.objects(2).mask_weight.tolist() == [0, 1]
    sizes = {tuple(rle["size"]) for rle in labels.objects(2).rles}
    assert sizes == {(SIDE, SIDE)}


def test_a_mask_of_another_size_is_refused_by_name(tmp_path: Path) -> None:
    path = edit(write_rectangles(tmp_path), 4, segmentation={"size": [3, 3], "counts": [9]})
    with pytest.raises(ValueError, match="annotation 5"):
        read(path, 0, batch_images=4)


def test_an_image_of_another_size_is_refused_by_name(tmp_path: Path) -> None:
    path = write_rectangles(tmp_path)
    data = json.loads(path.read_text())
    for image in data["images"]:
        image["height"] = 32
    for entry in data["annotations"]:
        entry["segmentation"] = [[0, 0, 9, 0, 9, 9]]
    path.write_text(json.dumps(data))
    with pytest.raises(ValueError, match="Give the images"):
        read(path, 0)


def test_a_batch_depends_on_its_step_alone_and_an_epoch_sees_all(tmp_path: Path) -> None:
    path = write_rectangles(tmp_path)
    batches = [read(path, step) for step in (0, 1)]
    assert sorted(i for batch in batches for i in batch.image_ids) == [1, 2, 3, 4]
    again = read(path, 1)
    assert again.image_ids == batches[1].image_ids
    assert torch.equal(again.samples[0].pixels, batches[1].samples[0].pixels)


def test_boxes_are_hulls_of_masks_also_when_mirrored(tmp_path: Path) -> None:
    for flip in (0.0, 1.0):
        for sample in read(write_rectangles(tmp_path), 0, flip=flip).samples:
            for box, mask in zip(sample.boxes.tolist(), sample.masks.numpy(), strict=True):
                rows, columns = np.nonzero(mask)
                hull = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
                assert box == hull
                inside = sample.pixels.numpy()[:, mask > 0]
                assert inside.max(axis=0).mean() > 0.5  # the bright pixels went along


def test_mirroring_twice_changes_nothing(tmp_path: Path) -> None:
    sample = read(write_rectangles(tmp_path), 0, flip=0.0).samples[0]
    twice = mirrored(mirrored(sample))
    for name in ("pixels", "boxes", "labels", "masks", "mask_weight"):
        assert torch.equal(getattr(twice, name), getattr(sample, name))
