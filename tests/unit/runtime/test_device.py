"""The device of a job: the CPU, or a card under its own name."""

import re
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from stages.runtime import device


def test_cpu_needs_no_lock(tmp_path: Path) -> None:
    with device.leased("cpu", tmp_path) as seen:
        assert seen == torch.device("cpu")
    assert not list(tmp_path.iterdir())


def test_auto_without_a_gpu_is_the_cpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with device.leased("auto", tmp_path) as seen:
        assert seen == torch.device("cpu")


def test_cuda_without_a_gpu_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(ValueError, match="no GPU"), device.leased("cuda"):
        pass


def _cards(monkeypatch: pytest.MonkeyPatch, *cards: SimpleNamespace) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: len(cards))
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda number: cards[number])


def test_two_jobs_get_two_devices(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _cards(monkeypatch, SimpleNamespace(uuid="a"), SimpleNamespace(uuid="b"))
    with device.leased("cuda", tmp_path) as one, device.leased("auto", tmp_path) as two:
        assert {one.index, two.index} == {0, 1}


def test_the_visible_devices_decide_no_lock(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    names = set()
    for visible, uuid in (("0", "a"), ("0", "b"), ("1", "a")):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        _cards(monkeypatch, SimpleNamespace(uuid=uuid))
        with device.leased("cuda"):
            names |= set(tmp_path.rglob("*.lock"))
    (folder,) = tmp_path.iterdir()
    assert names == {folder / "gpu-a.lock", folder / "gpu-b.lock"}


CARDS = {
    "its UUID": (SimpleNamespace(uuid="4f-a0", pci_bus_id=7), "gpu-4f-a0"),
    "its place on the bus": (
        SimpleNamespace(pci_domain_id=1, pci_bus_id=0x81, pci_device_id=2),
        "pci-0001:81:02",
    ),
    "its place in a build that knows no domains": (SimpleNamespace(pci_bus_id=7), "pci-0000:07:00"),
}


@pytest.mark.parametrize(("card", "name"), CARDS.values(), ids=list(CARDS))
def test_a_card_is_called_by(
    card: SimpleNamespace, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _cards(monkeypatch, card)
    assert device.uuid_of(0) == name


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_the_uuid_of_a_real_card_is_a_text_of_its_own() -> None:
    assert re.fullmatch(r"gpu-[0-9a-f-]{36}", device.uuid_of(0))
