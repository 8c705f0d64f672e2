"""A ResNet with FPN: its maps, its weight files, and what it is fed."""

from pathlib import Path

import pytest
import torch
import torchvision

from stages.learning.backbone import ResNetFpn, normalised
from stages.runtime.provenance import sha256_of


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


@pytest.mark.parametrize(("height", "width"), [(31, 33), (32, 64), (1, 1)])
def test_pixels_are_normalised_and_padded_to_32(height: int, width: int) -> None:
    seen = normalised(torch.full((3, height, width), 123.675))
    assert seen.shape[1] % 32 == 0
    assert seen.shape[2] % 32 == 0
    assert seen[0, :height, :width].abs().max() == 0
    assert seen[:, height:].abs().sum() == 0
