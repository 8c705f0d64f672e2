"""Tests of stages.learning.backbone."""

import json
from pathlib import Path

import pytest
import torch
import torchvision
from torchvision.ops import roi_align

from stages.learning.backbone import ResNetFpn, fpn_levels, group_norm, normalised, pooled
from stages.runtime.provenance import sha256_of


@pytest.mark.parametrize(
    ("channels", "groups"), [(8, 4), (16, 8), (32, 16), (48, 16), (64, 32), (256, 32)]
)
def test_group_norm_takes_a_single_pixel_of_a_single_image(channels: int, groups: int) -> None:
    norm = group_norm(channels)
    assert norm.num_groups == groups
    assert torch.isfinite(norm(torch.rand(1, channels, 1, 1))).all()


GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "sapnet.json").read_text())["cases"]


def test_fpn_levels_of_the_golden_boxes() -> None:
    case = GOLDEN["fpn_level"]
    assert fpn_levels(torch.tensor(case["inputs"]), 5).tolist() == case["expected"]


def test_one_level_takes_all_boxes() -> None:
    assert fpn_levels(torch.tensor([[0.0, 0, 900, 900], [0, 0, 0, 0]]), 1).tolist() == [0, 0]


@pytest.mark.parametrize(("name", "blocks"), [("resnet18", 2), ("resnet50", 3)])
def test_fpn_gives_five_levels_of_halving_size(name: str, blocks: int) -> None:
    network = ResNetFpn(name, 16, None, None)
    maps = network(torch.rand(2, 3, 96, 64))
    assert [tuple(level.shape) for level in maps] == [
        (2, 16, 24, 16),
        (2, 16, 12, 8),
        (2, 16, 6, 4),
        (2, 16, 3, 2),
        (2, 16, 2, 1),
    ]
    assert len(network.body.layer1) == blocks
    assert all(p.requires_grad for p in network.parameters())  # from scratch all is trained


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    torch.save(torchvision.models.resnet18().state_dict(), tmp_path / "resnet18.pth")
    return tmp_path / "resnet18.pth"


def test_loaded_weights_freeze_the_stem_and_all_statistics(weights: Path) -> None:
    network = ResNetFpn("resnet18", 16, weights, sha256_of(weights)).train()
    before = {k: v.clone() for k, v in network.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], 0.1)
    sum(level.square().mean() for level in network(torch.rand(2, 3, 64, 64))).backward()
    optimizer.step()
    after = network.state_dict()
    for key, value in before.items():
        frozen = key.startswith(("body.conv1", "body.bn1", "body.layer1")) or "running" in key
        counter = "num_batches_tracked" in key
        assert torch.equal(value, after[key]) == (frozen or counter), key


def test_loaded_weights_are_those_of_the_file(weights: Path) -> None:
    seen = ResNetFpn("resnet18", 16, weights, None).body.layer3[0].conv1.weight
    state = torch.load(weights, weights_only=True)
    assert torch.equal(seen, state["layer3.0.conv1.weight"])


def test_other_files_are_refused(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="missing"):
        ResNetFpn("resnet18", 16, tmp_path / "no.pth", None)
    with pytest.raises(ValueError, match="sha256"):
        ResNetFpn("resnet18", 16, weights, "0" * 64)
    with pytest.raises(ValueError, match="ResNet"):
        ResNetFpn("resnet50", 16, weights, None)


def test_pooling_is_aligned_and_takes_the_level_of_each_box() -> None:
    maps = [torch.rand(2, 3, 64 // s, 64 // s) for s in (1, 2)]
    strides = (4.0, 8.0)
    rois = torch.tensor([[0.0, 8, 8, 64, 64], [1, 0, 0, 200, 240], [1, 10, 20, 30, 25]])
    seen = pooled(maps, strides, rois, 7)
    for row, level in zip(range(3), (0, 1, 0), strict=True):
        one = roi_align(maps[level], rois[row : row + 1], 7, 1 / strides[level], -1, aligned=True)
        torch.testing.assert_close(seen[row : row + 1], one)


def test_pooling_a_ramp_gives_the_centres_of_the_cells() -> None:
    ramp = torch.arange(32.0)[None, None, None].expand(1, 1, 32, 32)  # value = column
    seen = pooled([ramp], (8.0,), torch.tensor([[0.0, 80, 80, 136, 136]]), 7)
    assert seen[0, 0, 3].tolist() == pytest.approx([10 + i for i in range(7)])


def test_no_box_pools_to_nothing() -> None:
    assert pooled([torch.rand(1, 3, 8, 8)], (8.0,), torch.zeros(0, 5), 7).shape == (0, 3, 7, 7)


@pytest.mark.parametrize(("height", "width"), [(31, 33), (32, 64), (1, 1)])
def test_pixels_are_normalised_and_padded_to_32(height: int, width: int) -> None:
    seen = normalised(torch.full((3, height, width), 123.675))
    assert seen.shape[1] % 32 == 0
    assert seen.shape[2] % 32 == 0
    assert seen[0, :height, :width].abs().max() == 0
    assert seen[:, height:].abs().sum() == 0
