"""The engine learns, from weights that depend on the seed alone."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from stages.engines.torchvision import open_detector, train
from stages.engines.training_labels import Labels
from stages.settings.train import Train
from tests.rectangles import write_rectangles

CPU = torch.device("cpu")


def test_the_first_weights_depend_on_the_seed_alone() -> None:
    settings = Train(short_side=64, long_side=64, fpn_channels=16)
    one, same, other = (
        open_detector(settings, 2, CPU, seed=seed).state_dict() for seed in (0, 0, 1)
    )
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


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
    header = {"categories": labels.categories}
    given = {"image_folder": tmp_path, "device": CPU, "seed": seed, "header": header}
    log = train(settings, labels, tmp_path / "parts" / "model.pt", **given)
    entries = [json.loads(line) for line in log.splitlines()]
    assert [entry["step"] for entry in entries] == list(range(1, 41))
    first, last = (np.mean([e["loss"] for e in part]) for part in (entries[:3], entries[-5:]))
    assert last < first / 2
