"""A detectron2 network that looks: the same detections as predict's, and classes in given boxes."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stages.engines.engine import INSTALL
from stages.engines.training_labels import Labels
from stages.settings.train import Train
from tests.rectangles import write_rectangles

pytest.importorskip("detectron2", reason=f"detectron2 is not installed; see {INSTALL}")

from torch import nn

from stages.engines.detectron2.engine import opened_detector, predict, train

CPU = torch.device("cpu")
SETTINGS = Train(
    **{"engine": "detectron2", "short_side": 64, "long_side": 64, "fpn_channels": 64},
    **{"rois_per_image": 32, "iterations": 60, "warmup": 5, "batch_images": 2},
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("looks")
    labels = Labels(write_rectangles(folder))
    header = {"categories": labels.categories}
    train(
        SETTINGS,
        labels,
        folder / "model.pt",
        image_folder=folder,
        device=CPU,
        seed=0,
        header=header,
    )
    return folder


def test_it_says_what_predict_says(trained: Path) -> None:
    images = json.loads((trained / "labels.json").read_text())["images"]
    wanted = list(predict(SETTINGS, trained / "model.pt", images, image_folder=trained, device=CPU))
    detector = opened_detector(SETTINGS, trained / "model.pt", CPU)
    for image, found in zip(images, wanted, strict=True):
        pixels = np.array(Image.open(trained / image["file_name"]))
        assert detector.results(image["id"], pixels) == found


def test_it_tells_the_class_in_each_box(trained: Path) -> None:
    truth = json.loads((trained / "labels.json").read_text())
    detector = opened_detector(SETTINGS, trained / "model.pt", CPU)
    sure = []
    for image in truth["images"][:4]:
        mine = [one for one in truth["annotations"] if one["image_id"] == image["id"]]
        boxes = np.array([one["bbox"] for one in mine], dtype=np.float32)
        boxes[:, 2:] += boxes[:, :2]
        pixels = np.array(Image.open(trained / image["file_name"]))
        found = detector.probabilities(pixels, boxes)
        assert found.shape == (len(mine), 3)
        assert (found.sum(axis=1) <= 1).all()  # the rest is background
        columns = [list(detector.category_ids).index(one["category_id"]) for one in mine]
        sure += found[np.arange(len(mine)), columns].tolist()
        twice = np.array(Image.fromarray(pixels).resize((128, 128), Image.Resampling.BILINEAR))
        assert detector.probabilities(twice, boxes * 2) == pytest.approx(found, abs=0.2)
    assert np.mean(sure) > 0.4


def test_several_heads_behind_each_other_are_refused(trained: Path) -> None:
    detector = opened_detector(SETTINGS, trained / "model.pt", CPU)
    heads = detector.network.roi_heads
    heads.box_head = nn.ModuleList([heads.box_head])
    with pytest.raises(ValueError, match="a cascade"):
        detector.probabilities(np.zeros((64, 64, 3), np.uint8), np.array([[1, 1, 9, 9]]))
