"""The stock model of the torchvision engine: torchvision alone opens it and finds the same."""

import json
from pathlib import Path

import pytest
import torch

from stages.engines.mask_rcnn import build_mask_rcnn, description_of
from stages.engines.stock import metrics_lines
from stages.settings.train import Train
from tests.stock_models import assert_same, opened_by, predicted, trained


@pytest.mark.long
def test_torchvision_alone_finds_the_same(tmp_path: Path) -> None:
    out = trained(tmp_path, fpn_channels=16)
    assert_same(predicted(out), opened_by("open_torchvision.py", out))


def test_the_weights_are_a_plain_state_dict(tmp_path: Path) -> None:
    out = trained(tmp_path, fpn_channels=16, iterations=1)
    state = torch.load(out / "stock" / "model_final.pth", weights_only=True)
    ours = torch.load(out / "model.pt", weights_only=True)["state"]
    assert all(torch.equal(state[name], ours[name]) for name in ours)
    assert len(state) == len(ours)
    config = json.loads((out / "stock" / "config.yaml").read_text())
    assert config["classes"] == ["__background__", "red", "green", "none"]
    assert config["category_ids"] == [3, 8, 9]


@pytest.mark.parametrize("backbone", ["resnet18", "resnet50"])
def test_the_description_has_the_widths_and_anchors_that_are_built(backbone: str) -> None:
    settings = Train(backbone=backbone, short_side=64, fpn_channels=16)
    found, model = description_of(settings, ["a"]), build_mask_rcnn(settings, 1)
    blocks = model.backbone.fpn.inner_blocks
    assert [block[0].in_channels for block in blocks] == found["widths"]
    assert model.rpn.anchor_generator.sizes == found["anchor_sizes"]
    assert model.transform.min_size == (found["arguments"]["min_size"],)


def test_metrics_have_the_names_that_detectron2_s_tools_read() -> None:
    losses = {"loss_classifier": 1.0, "loss_mask": 2.0}
    entry = {"step": 3, "lr": 0.1, "loss": 3.0, **losses, "images": 4, "images_per_second": 9.1}
    (line,) = metrics_lines(json.dumps(entry) + "\n").splitlines()
    wanted = {"iteration": 2, "total_loss": 3.0, "loss_cls": 1.0, "loss_mask": 2.0, "lr": 0.1}
    assert json.loads(line) == wanted
