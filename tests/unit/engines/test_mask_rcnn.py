"""Mask R-CNN at small size: stock at weight 1, blind to masks of weight 0, weights from a file."""

from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from torch import Tensor
from torchvision.models.detection.roi_heads import RoIHeads
from torchvision.ops import FrozenBatchNorm2d

from stages.engines.labels import Labels, StepReader
from stages.engines.mask_rcnn import anchors, build_mask_rcnn
from stages.engines.torchvision import target_of
from stages.files.provenance import sha256_of
from stages.settings.train import Train
from tests.rectangles import write_rectangles

SMALL = {"short_side": 64, "long_side": 64, "fpn_channels": 16, "rois_per_image": 16}


@pytest.fixture(scope="module")
def model() -> Any:
    torch.manual_seed(0)
    return build_mask_rcnn(Train(**SMALL), 3)


@pytest.fixture
def batch(tmp_path: Path) -> tuple[list[Tensor], list[dict[str, Tensor]]]:
    path = write_rectangles(tmp_path)
    reader = StepReader(tmp_path, Labels(path), Train(batch_images=2, flip=0.0), 0)
    samples = reader(0).samples
    targets = [target_of(sample, torch.device("cpu")) for sample in samples]
    return [sample.pixels for sample in samples], targets


def losses(
    model: Any, images: list[Tensor], targets: list[dict[str, Tensor]]
) -> tuple[dict[str, float], Tensor]:
    """Losses and the whole gradient, with the same anchors and RoIs each time."""
    torch.manual_seed(1)
    model.train()
    model.zero_grad()
    found = model(images, targets)
    torch.stack(list(found.values())).sum().backward()
    gradient = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
    return {name: value.item() for name, value in found.items()}, gradient.clone()


def test_an_image_without_objects_trains_on_background(model: Any) -> None:
    empty = {
        "boxes": torch.zeros(0, 4),
        "labels": torch.zeros(0, dtype=torch.int64),
        "masks": torch.zeros(0, 64, 64, dtype=torch.uint8),
        "mask_weight": torch.zeros(0),
    }
    found, gradient = losses(model, [torch.rand(3, 64, 64)], [empty])
    assert found["loss_mask"] == 0
    assert found["loss_box_reg"] == 0
    assert torch.isfinite(gradient).all()


def test_with_all_weights_1_the_losses_are_those_of_torchvision(model: Any, batch: Any) -> None:
    ours, _ = losses(model, *batch)
    ours_class = model.roi_heads.__class__
    model.roi_heads.__class__ = RoIHeads
    stock, _ = losses(model, *batch)
    model.roi_heads.__class__ = ours_class
    assert ours == pytest.approx(stock, abs=1e-6)


@pytest.mark.parametrize(("ignored", "changes"), [(True, False), (False, True)])
def test_a_mask_of_weight_0_moves_nothing(
    model: Any, batch: Any, ignored: bool, changes: bool
) -> None:
    images, targets = batch
    targets[0]["mask_weight"] = torch.tensor([0.0 if ignored else 1.0, 1.0])
    before, gradient = losses(model, images, targets)
    targets[0]["masks"] = targets[0]["masks"].clone()
    targets[0]["masks"][0] = 1 - targets[0]["masks"][0]
    after, other = losses(model, images, targets)
    assert (before["loss_mask"] != after["loss_mask"]) == changes
    assert (not torch.equal(gradient, other)) == changes
    assert before["loss_box_reg"] == after["loss_box_reg"]


def test_without_any_trusted_mask_the_mask_loss_is_0(model: Any, batch: Any) -> None:
    images, targets = batch
    for target in targets:
        target["mask_weight"] = torch.zeros(2)
    found, gradient = losses(model, images, targets)
    assert found["loss_mask"] == 0
    assert found["loss_classifier"] > 0
    assert torch.isfinite(gradient).all()


def test_anchors_and_rpn_are_stock_at_stock_settings_and_smaller_below() -> None:
    assert anchors(800).sizes == ((32,), (64,), (128,), (256,), (512,))
    assert [size for (size,) in anchors(128).sizes] == [16, 32, 64, 128, 256]
    stock = torchvision.models.detection.maskrcnn_resnet50_fpn(
        weights=None, weights_backbone=None, num_classes=4
    )
    large = {"short_side": 800, "long_side": 1333, "fpn_channels": 256, "rois_per_image": 512}
    ours = build_mask_rcnn(Train(**large, backbone="resnet50"), 3)
    for name in ("_pre_nms_top_n", "_post_nms_top_n", "nms_thresh"):
        assert getattr(ours.rpn, name) == getattr(stock.rpn, name)
    assert vars(ours.rpn.fg_bg_sampler) == vars(stock.rpn.fg_bg_sampler)
    assert vars(ours.roi_heads.fg_bg_sampler) == vars(stock.roi_heads.fg_bg_sampler)
    shapes = {name: weight.shape for name, weight in stock.roi_heads.state_dict().items()}
    mine = {name: weight.shape for name, weight in ours.roi_heads.state_dict().items()}
    bias = {name for name in shapes if name.startswith("mask_head") and name.endswith("bias")}
    same = set(shapes) - bias  # GroupNorm stands in for the bias of the mask head
    assert {name: mine[name] for name in same} == {name: shapes[name] for name in same}


def test_the_whole_network_is_trained_from_scratch(model: Any) -> None:
    assert all(weight.requires_grad for weight in model.parameters())
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in model.modules())


def test_a_weight_file_gives_the_backbone_and_freezes_its_start(tmp_path: Path) -> None:
    torch.manual_seed(3)
    source = torchvision.models.resnet18(weights=None)
    path = tmp_path / "resnet18.pth"
    torch.save(source.state_dict(), path)
    settings = Train(
        **SMALL, norm="frozen_batch", weights=str(path), weights_sha256=sha256_of(path)
    )
    built = build_mask_rcnn(settings, 3)
    body = built.backbone.body
    assert torch.equal(body.layer3[0].conv1.weight, source.layer3[0].conv1.weight)
    assert isinstance(body.bn1, FrozenBatchNorm2d)
    trained = {name for name, weight in body.named_parameters() if weight.requires_grad}
    assert {name.split(".")[0] for name in trained} == {"layer2", "layer3", "layer4"}


def test_damaged_or_foreign_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "resnet18.pth"
    torch.save(torchvision.models.resnet18(weights=None).state_dict(), path)
    frozen = {**SMALL, "norm": "frozen_batch", "weights": str(path)}
    with pytest.raises(ValueError, match="sha256"):
        build_mask_rcnn(Train(**frozen, weights_sha256="0" * 64), 3)
    with pytest.raises(ValueError, match="not the weights of this ResNet"):
        build_mask_rcnn(Train(**SMALL, norm="group", weights=str(path)), 3)
    with pytest.raises(ValueError, match="missing"):
        build_mask_rcnn(Train(**{**frozen, "weights": str(tmp_path / "none.pth")}), 3)
