"""BoxCaseg's network: its heads, whom each loss teaches, folding, and files of strangers."""

from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from torch import nn

from stages.box_supervision.head_mix import mixed_logits
from stages.runtime.provenance import sha256_of
from stages.segmenters.crop_backbones import BACKBONES, Concatenated, load_weights
from stages.segmenters.crop_network import (
    HEADS,
    CropNetwork,
    TransferredHead,
    fitted_crop_network,
    started_network,
)
from stages.settings.segmenters.boxcaseg import Settings
from tests.crop_set import SMALL, propose


def settings_of(**changes: Any) -> Settings:
    return propose({**SMALL, **changes}).boxcaseg


def network_of(**changes: Any) -> CropNetwork:
    torch.manual_seed(0)
    return CropNetwork(settings_of(**changes))


PIXELS = torch.randn(2, 3, 48, 40, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("heads", list(HEADS))
def test_each_head_has_a_map_of_the_crop(heads: str) -> None:
    found = network_of(heads=heads)(PIXELS)
    assert set(found) == {*HEADS[heads], "mixed"}
    assert all(logits.shape == (2, 48, 40) for logits in found.values())


@pytest.mark.parametrize(
    ("heads", "asked"),
    [
        ("weak_only", "weak"),
        ("salient_only", "salient"),
        ("weak_salient", "salient"),
        ("weak_transferred", "transferred"),
    ],
)
def test_what_is_asked_is_what_saw_masks(heads: str, asked: str) -> None:
    found = network_of(heads=heads)(PIXELS)
    assert torch.equal(found["mixed"], found[asked])


def test_all_heads_are_mixed_by_their_weight() -> None:
    found = network_of(salient_weight=0.6)(PIXELS)
    wanted = mixed_logits(found["salient"], found["transferred"], salient_weight=0.6)
    assert torch.equal(found["mixed"], wanted)


def test_masks_teach_the_transfer_and_never_the_weak_head() -> None:
    network = network_of()
    network(PIXELS)["mixed"].square().mean().backward()
    taught = {
        name
        for name, weight in network.named_parameters()
        if weight.grad is not None and bool(weight.grad.any())
    }
    assert not any(name.startswith("heads.weak.") for name in taught)
    for part in ("heads.salient.first", "heads.transferred.first.first", "heads.transferred.norm"):
        assert any(name.startswith(part) for name in taught)
    assert any(name.startswith("backbone.") for name in taught)


def test_boxes_teach_the_weak_head_alone_among_heads() -> None:
    network = network_of()
    network(PIXELS)["weak"].square().mean().backward()
    heads = {
        name.split(".")[1]
        for name, weight in network.named_parameters()
        if name.startswith("heads.") and weight.grad is not None
    }
    assert heads == {"weak"}


def test_a_folded_head_answers_as_it_did() -> None:
    network = network_of()
    for _ in range(3):
        network(PIXELS)  # statistics of the norms that are not those of the start
    before = network.eval()(PIXELS)
    after = network.fold()(PIXELS)
    assert not any(isinstance(module, TransferredHead) for module in network.modules())
    for name, logits in before.items():
        assert torch.allclose(after[name], logits, atol=1e-5)


@pytest.mark.parametrize(("name", "stride"), [("small", 2), ("resnet18", 4), ("resnet50", 4)])
@pytest.mark.parametrize("channels", [16, None])
def test_backbones_end_in_one_map_at_their_finest_stride(
    name: str, stride: int, channels: int | None
) -> None:
    backbone = Concatenated(BACKBONES[name](), channels).eval()
    with torch.no_grad():
        found = backbone(PIXELS[:1, :, :, :32])
    assert found.shape == (1, backbone.width, 48 // stride, 32 // stride)
    assert channels is None or backbone.width == 4 * channels


def test_the_transfer_of_256_channels_has_a_million_weights() -> None:
    head = TransferredHead(256, hidden=4, leaky=0.1)
    count = sum(p.numel() for m in (head.first, head.last) for p in m.parameters())
    assert count / 2 == pytest.approx(0.526e6, rel=0.01)  # of each of the two


def test_a_resnet_starts_from_its_weight_file(tmp_path: Path) -> None:
    torch.manual_seed(2)
    stock = torchvision.models.resnet18(weights=None)
    torch.save(stock.state_dict(), tmp_path / "resnet18.pth")
    digest = sha256_of(tmp_path / "resnet18.pth")
    start = {"backbone": "resnet18", "checkpoint": str(tmp_path / "resnet18.pth")}
    network = started_network(settings_of(**start, sha256=digest))
    body = network.backbone.body.body
    assert torch.equal(body.layer4[1].conv2.weight, stock.layer4[1].conv2.weight)
    with pytest.raises(ValueError, match="is wanted"):
        started_network(settings_of(**start, sha256="0" * 64))
    with pytest.raises(ValueError, match="does not hold the weights of this backbone"):
        started_network(settings_of(**{**start, "backbone": "resnet50"}))


def test_a_missing_or_damaged_weight_file_is_told(tmp_path: Path) -> None:
    body = BACKBONES["resnet18"]()
    with pytest.raises(ValueError, match=r"checkpoint: .* is missing"):
        load_weights(body, tmp_path / "none.pth", None)
    (tmp_path / "bad.pth").write_bytes(b"not a model")
    with pytest.raises(ValueError, match=r"bad\.pth: not a plain weight file"):
        load_weights(body, tmp_path / "bad.pth", None)


def save(network: nn.Module, path: Path) -> Path:
    torch.save({"state": network.state_dict(), "header": "{}"}, path)
    return path


def test_a_trained_network_is_opened_folded(tmp_path: Path) -> None:
    network = network_of()
    path = save(network, tmp_path / "model.pt")
    opened = fitted_crop_network(path, settings_of())
    assert not opened.training
    assert torch.allclose(opened(PIXELS)["mixed"], network.eval()(PIXELS)["mixed"], atol=1e-5)


def test_models_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"model is missing\. Run snakemake"):
        fitted_crop_network(tmp_path / "none.pt", settings_of())
    path = save(network_of(), tmp_path / "model.pt")
    with pytest.raises(ValueError, match=r"does not fit propose\.boxcaseg"):
        fitted_crop_network(path, settings_of(channels=16))
    path.write_bytes(b"")
    with pytest.raises(ValueError, match=r"model\.pt: not a plain weight file"):
        fitted_crop_network(path, settings_of())
