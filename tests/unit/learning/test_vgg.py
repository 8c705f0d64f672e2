"""VGG-16: the size of its map, what it takes of its weight file, and what is trained."""

from pathlib import Path

import pytest
import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional as F

from stages.learning.opening import feature_facts, open_inputs, open_network
from stages.learning.two_branch import TwoBranch
from stages.learning.vgg import Vgg16, vgg_weights
from stages.runtime.provenance import sha256_of
from stages.settings.propose import Propose
from stages.settings.selectors.psm import Features
from tests.vgg_file import vgg_state, write_vgg

BLOCKS = [["0", "2"], ["5", "7"], ["10", "12", "14"], ["17", "19", "21"], ["24", "26", "28"]]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_vgg(tmp_path_factory.mktemp("weights") / "vgg16.pth")


def started(folder: Path, **keys: int | str | None) -> TwoBranch:
    """A fresh network on VGG-16, as a training opens it."""
    features = Features(source="vgg16", **{"hidden": 16, "roi_size": 2, **keys})
    inputs = open_inputs(features, Propose(), folder=folder, device=torch.device("cpu"))
    network = open_network(features, inputs, {"psm": 3})
    inputs.start(network, features)
    return network


@pytest.mark.parametrize(("height", "width"), [(32, 32), (64, 96), (40, 8)])
def test_the_map_has_a_stride_of_8_and_512_channels(height: int, width: int) -> None:
    [level] = Vgg16()(torch.rand(2, 3, height, width))
    assert level.shape == (2, 512, height // 8, width // 8)
    assert Vgg16.strides == (8,)


def by_hand(pixels: Tensor, state: dict[str, Tensor]) -> Tensor:
    """VGG-16 in plain functions: no pooling behind the fourth block, the fifth dilated by 2."""
    for number, block in enumerate(BLOCKS, start=1):
        gap = 2 if number == 5 else 1
        for name in block:
            weight, bias = state[f"features.{name}.weight"], state[f"features.{name}.bias"]
            pixels = F.relu(F.conv2d(pixels, weight, bias, padding=gap, dilation=gap))
        pixels = F.max_pool2d(pixels, 2) if number < 4 else pixels
    return pixels


def test_weights_of_the_file_give_the_maps_that_they_should(weights: Path, tmp_path: Path) -> None:
    network = started(tmp_path, weights=str(weights), weights_sha256=sha256_of(weights))
    pixels = torch.rand(1, 3, 32, 64)
    [seen] = network.feature_maps(pixels)
    torch.testing.assert_close(seen, by_hand(pixels, vgg_state()))


def test_fc6_and_fc7_start_the_trunk_at_their_own_size(weights: Path, tmp_path: Path) -> None:
    network, state = started(tmp_path, weights=str(weights), hidden=4096, roi_size=7), vgg_state()
    for own, name in (("0", "classifier.0"), ("2", "classifier.3")):
        for kind in ("weight", "bias"):
            seen = network.get_parameter(f"trunk.{own}.{kind}")
            assert torch.equal(seen, state[f"{name}.{kind}"])


def test_a_trunk_of_another_size_starts_fresh(weights: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = started(tmp_path, weights=str(weights), hidden=16, roi_size=2)
    assert network.trunk[0].weight.shape == (16, 512 * 2 * 2)  # `channels` is not read
    torch.manual_seed(0)
    scratch = started(tmp_path, hidden=16, roi_size=2)
    assert torch.equal(network.trunk[0].weight, scratch.trunk[0].weight)


@pytest.mark.parametrize("frozen", [0, 2, 5])
def test_the_first_blocks_get_no_gradient(weights: Path, tmp_path: Path, frozen: int) -> None:
    network = started(tmp_path, weights=str(weights), frozen=frozen)
    boxes = [torch.tensor([[0.0, 0.0, 20.0, 30.0]])]
    maps = network.feature_maps(torch.rand(1, 3, 32, 32))
    sum(part.sum() for part in network.logits("psm", network.vectors(maps, boxes))).backward()
    for number, block in enumerate(BLOCKS):
        for name in block:
            weight = network.get_parameter(f"maps.features.{name}.weight")
            assert (weight.grad is None) == (number < frozen), name
    assert network.trunk[0].weight.grad is not None


def test_from_scratch_all_is_trained(tmp_path: Path) -> None:
    network = started(tmp_path, frozen=2)
    assert all(weight.requires_grad for weight in network.parameters())


def test_a_file_of_another_number_of_classes_will_do(tmp_path: Path) -> None:
    path = write_vgg(tmp_path / "a.pth", classifier_6_weight=torch.zeros(20, 4096))
    assert "classifier.6.weight" not in vgg_weights(path, None)


def test_the_door_counts_the_file_by_its_checksum(weights: Path) -> None:
    facts = feature_facts(Features(source="vgg16", weights=str(weights)), Propose())
    assert facts["model_sha256"] == sha256_of(weights)


def test_other_files_are_refused(weights: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.pth"
    with pytest.raises(ValueError, match=r"other\.pth: this VGG-16 weight file is missing"):
        vgg_weights(other, None)
    with pytest.raises(ValueError, match=r"vgg16\.pth: its sha256 is"):
        vgg_weights(weights, "0" * 64)
    other.write_bytes(b"no weights")
    with pytest.raises(ValueError, match=r"other\.pth: not a plain weight file"):
        vgg_weights(other, None)
    torch.save(torchvision.models.resnet18().state_dict(), other)
    with pytest.raises(ValueError, match=r"not the weights of VGG-16 \(first diff.*features\.0"):
        vgg_weights(other, None)
    torch.save(nn.Linear(2, 2).weight.detach(), other)
    with pytest.raises(ValueError, match=r"not the weights of VGG-16"):
        vgg_weights(other, None)


def test_a_file_whose_fc6_is_not_finite_is_refused(tmp_path: Path) -> None:
    bad = torch.tensor(float("nan")).expand(4096)
    path = write_vgg(tmp_path / "features.pth", classifier_0_bias=bad)
    with pytest.raises(ValueError, match=r"not all of classifier\.0\.bias is finite"):
        vgg_weights(path, None)
