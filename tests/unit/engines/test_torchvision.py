"""The engine learns, and writes down what it found."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from pycocotools import mask as coco_mask

from stages.engines.labels import Labels
from stages.engines.torchvision import open_model, optimizer_of, results_of, train
from stages.settings.train import Train
from tests.rectangles import write_rectangles

CPU = torch.device("cpu")


def test_no_detections_give_no_results() -> None:
    found = {
        "boxes": torch.zeros(0, 4),
        "labels": torch.zeros(0, dtype=torch.int64),
        "scores": torch.zeros(0),
        "masks": torch.zeros(0, 1, 8, 9),
    }
    assert results_of(5, found, [3]) == []


def test_results_have_the_original_category_ids_and_coco_boxes() -> None:
    masks = torch.zeros(2, 1, 8, 9)
    masks[0, 0, 2:5, 1:4] = 0.9
    masks[1, 0, 2:5, 1:4] = 0.5  # at the threshold: not in the mask
    found = {
        "boxes": torch.tensor([[1.0, 2, 4.125, 5], [0, 0, 8, 8]]),
        "labels": torch.tensor([2, 1]),
        "scores": torch.tensor([0.75, 0.5]),
        "masks": masks,
    }
    first, second = results_of(5, found, [30, 77])
    assert (first["image_id"], first["category_id"], second["category_id"]) == (5, 77, 30)
    assert first["bbox"] == [1.0, 2.0, 3.12, 3.0]
    assert first["score"] == 0.75
    np.testing.assert_array_equal(coco_mask.decode(first["segmentation"]), masks[0, 0] > 0.5)
    assert not coco_mask.decode(second["segmentation"]).any()
    json.dumps([first, second])


def test_the_first_weights_depend_on_the_seed_alone() -> None:
    settings = Train(short_side=64, long_side=64, fpn_channels=16)
    one, same, other = (open_model(settings, 2, CPU, seed=seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


def test_the_optimizer_is_a_setting_and_frozen_weights_are_left_out() -> None:
    model = torch.nn.Linear(2, 2)
    model.bias.requires_grad_(False)
    adamw = optimizer_of(model, Train())
    sgd = optimizer_of(model, Train(optimizer="sgd", momentum=0.5))
    assert type(adamw) is torch.optim.AdamW
    assert type(sgd) is torch.optim.SGD
    assert sgd.param_groups[0]["momentum"] == 0.5
    assert [len(optimizer.param_groups[0]["params"]) for optimizer in (adamw, sgd)] == [1, 1]


@pytest.mark.parametrize("seed", [0])
def test_the_loss_falls_by_half_on_four_images(tmp_path: Path, seed: int) -> None:
    labels = Labels(write_rectangles(tmp_path))
    settings = Train(
        short_side=64,
        long_side=64,
        fpn_channels=32,
        rois_per_image=32,
        iterations=40,
        warmup=5,
    )
    model = open_model(settings, len(labels.categories), CPU, seed=seed)
    log = train(model, labels, tmp_path, settings, folder=tmp_path / "parts", seed=seed)
    entries = [json.loads(line) for line in log.splitlines()]
    assert [entry["step"] for entry in entries] == list(range(1, 41))
    first, last = (np.mean([e["loss"] for e in part]) for part in (entries[:3], entries[-5:]))
    assert last < first / 2
