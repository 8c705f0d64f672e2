"""Mask R-CNN at small size: stock at weight 1, blind to masks of weight 0, weights from a file."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from torch import Tensor
from torch.nn import functional as F
from torchvision.models.detection.roi_heads import RoIHeads
from torchvision.ops import FrozenBatchNorm2d

from stages.engines.mask_rcnn import anchors, build_mask_rcnn
from stages.engines.roi_heads import mask_losses
from stages.engines.step_reader import StepReader
from stages.engines.torchvision import target_of
from stages.engines.training_labels import Labels
from stages.runtime.provenance import sha256_of
from stages.settings.train import MultiMask, RoiDrop, Train
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


NEVER = RoiDrop(enabled=True, start=0, cls=1e30, reg=1e30)
LATER = RoiDrop(enabled=True, start=5, cls=1e-6, reg=1e-6)


@pytest.mark.parametrize("drop", [RoiDrop(), NEVER, LATER], ids=["off", "never", "later"])
def test_with_all_weights_1_the_losses_are_those_of_torchvision(
    model: Any, batch: Any, drop: RoiDrop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model.roi_heads, "drop", drop)
    monkeypatch.setattr(model.roi_heads, "step", 4)
    ours, gradient = losses(model, *batch)
    assert set(model.roi_heads.dropped.values()) == {0}
    monkeypatch.setattr(model.roi_heads, "__class__", RoIHeads)
    stock, wanted = losses(model, *batch)
    assert ours == pytest.approx(stock, abs=1e-6)
    torch.testing.assert_close(gradient, wanted, atol=1e-5, rtol=1e-4)


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


def test_the_mask_losses_count_by_their_weight(
    model: Any, extra_batch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model.roi_heads, "gamma", 0.25)
    images, targets = extra_batch
    whole, _ = losses(model, images, targets)
    for target in targets:
        target["mask_weight"] = torch.full((2,), 0.5)
    half, _ = losses(model, images, targets)
    for name, value in whole.items():
        share = 0.5 if name.startswith("loss_mask") else 1
        assert half[name] == pytest.approx(share * value, abs=1e-6), name


def test_without_any_trusted_mask_the_mask_loss_is_0(model: Any, batch: Any) -> None:
    images, targets = batch
    for target in targets:
        target["mask_weight"] = torch.zeros(2)
    found, gradient = losses(model, images, targets)
    assert found["loss_mask"] == 0
    assert found["loss_classifier"] > 0
    assert torch.isfinite(gradient).all()


def test_from_the_start_on_rois_are_dropped(
    model: Any, batch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model.roi_heads, "drop", LATER)
    monkeypatch.setattr(model.roi_heads, "step", 5)
    found, _ = losses(model, *batch)
    assert set(model.roi_heads.dropped.values()) == {1}  # no loss is below a millionth
    assert (found["loss_classifier"], found["loss_box_reg"]) == (0, 0)
    assert found["loss_mask"] > 0


class Given(torch.nn.Module):
    """Stands for a head whose outputs are known."""

    def __init__(self, *values: Tensor):
        super().__init__()
        self.values = values

    def forward(self, *_: Any) -> tuple[Tensor, ...]:
        return self.values


def test_the_heads_drop_exactly_the_crafted_rois(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Train(**SMALL, roi_drop=RoiDrop(enabled=True, start=0))
    heads: Any = build_mask_rcnn(settings, 3).roi_heads
    labels = torch.tensor([1, 2, 0, 3, 0, 1])
    logits = F.one_hot(labels, 4).float() * 9
    logits[1], logits[4] = logits[0], logits[3]  # two wrong labels: cross-entropy 9
    deltas, goals = torch.zeros(6, 16), torch.full((6, 4), 0.1)
    goals[3] = 4.0  # a bad box: smooth L1 15.8
    logits.requires_grad_()
    deltas.requires_grad_()
    rois = torch.tensor([[0.0, 0, 16, 16]]).repeat(6, 1)
    samples = [rois], [torch.zeros(6, dtype=torch.int64)], [labels], [goals]
    monkeypatch.setattr(heads, "select_training_samples", lambda *_: samples)
    heads.box_predictor = Given(logits, deltas)
    features = {str(k): torch.rand(1, 16, 16 >> k, 16 >> k) for k in range(4)}
    target = {"labels": labels[:1], "mask_weight": torch.zeros(1), "masks": torch.ones(1, 64, 64)}
    _, found = heads.train()(features, [rois], [(64, 64)], [target])
    (found["loss_classifier"] + found["loss_box_reg"]).backward()
    dropped = torch.tensor([False, True, False, True, True, False])
    assert heads.dropped == pytest.approx({"dropped": 3 / 6, "dropped_objects": 2 / 4})
    assert torch.equal((logits.grad == 0).all(dim=1), dropped)
    assert torch.equal((deltas.grad == 0).all(dim=1), dropped | (labels == 0))
    kept = F.cross_entropy(logits[~dropped], labels[~dropped], reduction="sum")
    assert found["loss_classifier"].item() == pytest.approx(kept.item() / 6)  # of all RoIs


@pytest.fixture
def extra_batch(tmp_path: Path) -> tuple[list[Tensor], list[dict[str, Tensor]]]:
    """Two images; each object has two extra masks: its box's left half, and the whole image."""
    path = write_rectangles(tmp_path)
    data = json.loads(path.read_text())
    for entry in data["annotations"]:
        x, y, w, h = entry["bbox"]
        half = [[x, y, x + w / 2, y, x + w / 2, y + h, x, y + h]]
        entry["extra_masks"] = [half, [[0, 0, 64, 0, 64, 64, 0, 64]]]
    path.write_text(json.dumps(data))
    settings = Train(batch_images=2, flip=0.0, multi_mask=MultiMask(enabled=True))
    samples = StepReader(tmp_path, Labels(path), settings, 0)(0).samples
    targets = [target_of(sample, torch.device("cpu")) for sample in samples]
    return [sample.pixels for sample in samples], targets


def test_extra_masks_of_gamma_0_leave_the_losses_as_they_were(
    model: Any, extra_batch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock, wanted = losses(model, *extra_batch)
    monkeypatch.setattr(model.roi_heads, "gamma", 0.0)
    found, gradient = losses(model, *extra_batch)
    assert found.pop("loss_mask_extra") == 0
    assert found == stock
    torch.testing.assert_close(gradient, wanted)
    monkeypatch.setattr(model.roi_heads, "gamma", 0.25)
    assert 0.05 < losses(model, *extra_batch)[0]["loss_mask_extra"] <= 0.25


def test_each_extra_mask_meets_the_rois_of_its_object() -> None:
    logits = torch.full((2, 3, 4, 4), -20.0)
    logits[0, 1], logits[1, 2] = 20.0, 20.0  # each RoI is sure of a full mask of its class
    masks = torch.zeros(2 + 3 * 2, 16, 16, dtype=torch.uint8)  # own masks, then 3 blocks of 2
    masks[2 + 2 * 1 + 1] = 1  # of the extra masks only the second one's second is full
    target = {
        "labels": torch.tensor([1, 2]),
        "masks": masks,
        "mask_weight": torch.ones(2),
        "extra_valid": torch.tensor([[False] * 3, [False, True, False]]),
    }
    given = [torch.tensor([[0.0, 0, 8, 8]] * 2)], [target], [torch.tensor([0, 1])]
    found = mask_losses(logits, *given, gamma=1.0)
    assert found["loss_mask_extra"].item() == pytest.approx(0, abs=1e-3)
    target["extra_valid"] = torch.tensor([[True] * 3, [True, False, True]])
    found = mask_losses(logits, *given, gamma=1.0)
    assert found["loss_mask_extra"].item() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(("ignored", "changes"), [(True, False), (False, True)])
def test_an_extra_mask_of_an_ignored_annotation_moves_nothing(
    model: Any, extra_batch: Any, monkeypatch: pytest.MonkeyPatch, ignored: bool, changes: bool
) -> None:
    images, targets = extra_batch
    monkeypatch.setattr(model.roi_heads, "gamma", 0.25)
    targets[0]["mask_weight"] = torch.tensor([0.0 if ignored else 1.0, 1.0])
    before, gradient = losses(model, images, targets)
    targets[0]["masks"] = targets[0]["masks"].clone()
    targets[0]["masks"][2] = 1 - targets[0]["masks"][2]  # the first extra mask of object 0
    after, other = losses(model, images, targets)
    assert (before.pop("loss_mask_extra") != after.pop("loss_mask_extra")) == changes
    assert (not torch.equal(gradient, other)) == changes
    assert before == after


@pytest.mark.parametrize("backbone", ["resnet50", "resnet101"])
def test_larger_backbones_train_a_step(batch: Any, backbone: str) -> None:
    larger = build_mask_rcnn(Train(**SMALL, backbone=backbone), 3)
    found, gradient = losses(larger, *batch)
    assert all(value > 0 for value in found.values())
    assert torch.isfinite(gradient).all()
    blocks = {"resnet50": 6, "resnet101": 23}
    assert len(larger.backbone.body.layer3) == blocks[backbone]


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
