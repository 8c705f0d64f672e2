"""detectron2's network: as large as torchvision's, and from the same weight file."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from torch import nn

from stages.engines.engine import INSTALL
from stages.engines.mask_rcnn import build_mask_rcnn
from stages.runtime.provenance import sha256_of
from stages.settings.train import Train

pytest.importorskip("detectron2", reason=f"detectron2 is not installed; see {INSTALL}")

from stages.engines.detectron2.config import build_network, config_of
from stages.engines.detectron2.engine import check, open_detector
from stages.engines.detectron2.weights import renamed

CPU = torch.device("cpu")
SMALL = {"short_side": 64, "long_side": 64, "fpn_channels": 64, "rois_per_image": 16}
STOCK = {"short_side": 800, "long_side": 1333, "fpn_channels": 256, "rois_per_image": 512}


def resnet_file(folder: Path, name: str) -> tuple[Path, Any]:
    """A ResNet with random weights and statistics, and its file."""
    torch.manual_seed(3)
    source = getattr(torchvision.models, name)(weights=None)
    for module in source.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.1, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
            nn.init.uniform_(module.weight, 0.5, 1.0)
    torch.save(source.state_dict(), folder / f"{name}.pth")
    return folder / f"{name}.pth", source.eval()


@pytest.mark.parametrize(
    ("changes", "works"),
    [
        ({}, True),
        ({"fpn_channels": 64}, True),
        ({"fpn_channels": 96}, True),
        ({"fpn_channels": 48}, False),
        ({"fpn_channels": 32}, False),
        ({"fpn_channels": 48, "norm": "frozen_batch", "weights": "any.pth"}, True),
    ],
)
def test_a_width_that_groups_do_not_divide_is_refused(changes: Any, works: bool) -> None:
    if works:
        check(Train(**changes))
    else:
        width = changes["fpn_channels"]
        with pytest.raises(ValueError, match=rf"train\.fpn_channels is {width}.*from 64 on"):
            check(Train(**changes))


@pytest.mark.parametrize("sizes", [SMALL, STOCK], ids=["small", "stock"])
def test_what_is_sampled_and_kept_is_what_torchvision_samples_and_keeps(sizes: Any) -> None:
    settings = Train(**sizes, score_threshold=0.2, detections_per_image=7)
    ours, theirs = config_of(settings, 3), build_mask_rcnn(settings, 3)
    model, rpn, heads = ours.MODEL, theirs.rpn, theirs.roi_heads
    before = {"training": model.RPN.PRE_NMS_TOPK_TRAIN, "testing": model.RPN.PRE_NMS_TOPK_TEST}
    after = {"training": model.RPN.POST_NMS_TOPK_TRAIN, "testing": model.RPN.POST_NMS_TOPK_TEST}
    assert (before, after) == (rpn._pre_nms_top_n, rpn._post_nms_top_n)
    assert model.RPN.NMS_THRESH == rpn.nms_thresh
    assert model.RPN.BATCH_SIZE_PER_IMAGE == rpn.fg_bg_sampler.batch_size_per_image
    assert model.ROI_HEADS.BATCH_SIZE_PER_IMAGE == heads.fg_bg_sampler.batch_size_per_image
    assert model.ROI_HEADS.POSITIVE_FRACTION == heads.fg_bg_sampler.positive_fraction
    assert model.ROI_HEADS.SCORE_THRESH_TEST == heads.score_thresh == 0.2
    assert model.ROI_HEADS.NMS_THRESH_TEST == heads.nms_thresh
    assert ours.TEST.DETECTIONS_PER_IMAGE == heads.detections_per_img == 7
    assert tuple(map(tuple, model.ANCHOR_GENERATOR.SIZES)) == rpn.anchor_generator.sizes


@pytest.mark.parametrize("norm", ["group", "frozen_batch"])
@pytest.mark.parametrize("backbone", ["resnet18", "resnet50", "resnet101"])
def test_the_backbone_is_as_large_as_that_of_torchvision(backbone: str, norm: str) -> None:
    # a copy is not judged: frozen_batch goes without its weights here
    settings = Train(**SMALL, backbone=backbone).model_copy(update={"norm": norm})
    ours, theirs = build_network(config_of(settings, 3), CPU), build_mask_rcnn(settings, 3)
    shapes = [Counter(p.shape for p in m.backbone.parameters()) for m in (ours, theirs)]
    assert shapes[0] == shapes[1]
    heads = {name: p.shape for name, p in theirs.roi_heads.named_parameters()}
    box, mask = ours.roi_heads.box_head, ours.roi_heads.mask_head
    assert box.fc1.weight.shape == heads["box_head.fc6.weight"]
    assert box.fc2.weight.shape == heads["box_head.fc7.weight"]
    assert mask.mask_fcn4.weight.shape == heads["mask_head.3.0.weight"]
    assert mask.deconv.weight.shape == heads["mask_predictor.conv5_mask.weight"]


@pytest.mark.parametrize("width", [64, 96])
def test_groups_of_the_norms_are_those_of_torchvision(width: int) -> None:
    settings = Train(**{**SMALL, "fpn_channels": width})
    ours, theirs = build_network(config_of(settings, 3), CPU), build_mask_rcnn(settings, 3)
    groups = [
        Counter(
            (m.num_channels, m.num_groups) for m in model.modules() if isinstance(m, nn.GroupNorm)
        )
        for model in (ours, theirs)
    ]
    assert groups[0] == groups[1]
    assert not any(isinstance(m, nn.BatchNorm2d) for m in ours.modules())
    assert all(weight.requires_grad for weight in ours.parameters())


@pytest.mark.parametrize(
    ("key", "wanted"),
    [
        ("conv1.weight", "stem.conv1.weight"),
        ("bn1.running_var", "stem.conv1.norm.running_var"),
        ("layer1.0.conv2.weight", "res2.0.conv2.weight"),
        ("layer4.2.bn3.bias", "res5.2.conv3.norm.bias"),
        ("layer2.0.downsample.0.weight", "res3.0.shortcut.weight"),
        ("layer2.0.downsample.1.running_mean", "res3.0.shortcut.norm.running_mean"),
    ],
)
def test_weights_of_torchvision_find_their_name(key: str, wanted: str) -> None:
    assert renamed(key) == wanted


@pytest.mark.parametrize("backbone", ["resnet18", "resnet50"])
def test_a_weight_file_gives_the_features_of_torchvision(tmp_path: Path, backbone: str) -> None:
    path, source = resnet_file(tmp_path, backbone)
    settings = Train(
        **SMALL,
        backbone=backbone,
        norm="frozen_batch",
        weights=str(path),
        weights_sha256=sha256_of(path),
    )
    network, config = open_detector(settings, 3, CPU, seed=0)
    body, pixels = network.backbone.bottom_up, torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        x = source.maxpool(source.relu(source.bn1(source.conv1(pixels))))
        wanted = source.layer4(source.layer3(source.layer2(source.layer1(x))))
        assert (body(pixels)["res5"] - wanted).abs().max() == 0
    trained = {name.split(".")[0] for name, p in body.named_parameters() if p.requires_grad}
    assert trained == {"res3", "res4", "res5"}
    assert str(tmp_path) not in config.dump()


def test_damaged_or_foreign_weights_are_refused(tmp_path: Path) -> None:
    path, _ = resnet_file(tmp_path, "resnet18")
    frozen = {**SMALL, "norm": "frozen_batch", "weights": str(path)}
    wrong = [
        (Train(**frozen, weights_sha256="0" * 64), "sha256"),
        (Train(**frozen, backbone="resnet50"), "not the weights of this ResNet"),
        (Train(**SMALL, weights=str(path)), "not the weights of this ResNet"),
        (Train(**{**frozen, "weights": str(tmp_path / "none.pth")}), "missing"),
    ]
    for settings, sentence in wrong:
        with pytest.raises(ValueError, match=sentence):
            open_detector(settings, 3, CPU, seed=0)
