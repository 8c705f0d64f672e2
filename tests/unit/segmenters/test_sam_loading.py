"""Loading SAM: the right file, the right architecture, no code from strangers."""

import gc
import weakref
from pathlib import Path

import pytest
import torch

from stages.runtime.provenance import sha256_of
from stages.segmenters.official import OFFICIAL
from stages.segmenters.sam_loading import BUILDERS, checked_sha256, load_sam
from stages.segmenters.tiny import build_vit_tiny

CPU = torch.device("cpu")


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    path = tmp_path / "tiny.pth"
    torch.save(build_vit_tiny().state_dict(), path)
    return path


def test_load_sam_loads_every_weight(weights: Path) -> None:
    sam = load_sam("vit_tiny", weights, sha256_of(weights), CPU)
    saved = torch.load(weights, weights_only=True)
    assert all(torch.equal(value, saved[key]) for key, value in sam.state_dict().items())
    assert not sam.training
    assert not any(parameter.requires_grad for parameter in sam.parameters())


def test_load_sam_refuses_a_wrong_checksum(weights: Path) -> None:
    with pytest.raises(ValueError, match="its sha256 is"):
        load_sam("vit_tiny", weights, "0" * 64, CPU)


def test_load_sam_refuses_another_architecture(weights: Path) -> None:
    with pytest.raises(ValueError, match="not the weights of vit_b"):
        load_sam("vit_b", weights, None, CPU)


def test_load_sam_refuses_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is missing"):
        load_sam("vit_tiny", tmp_path / "none.pth", None, CPU)


def test_load_sam_refuses_pickled_code(tmp_path: Path) -> None:
    path = tmp_path / "evil.pth"
    torch.save({"weights": Path("anything")}, path)
    with pytest.raises(ValueError, match="not a plain weight file"):
        load_sam("vit_tiny", path, None, CPU)


def test_an_official_name_brings_its_known_checksum(weights: Path) -> None:
    posing = weights.rename(weights.with_name("sam_vit_b_01ec64.pth"))
    with pytest.raises(ValueError, match=OFFICIAL["sam_vit_b_01ec64.pth"].sha256):
        checked_sha256(posing, None)


def test_a_card_beside_a_file_brings_its_checksum(weights: Path) -> None:
    card = weights.with_name("tiny.card.json")
    card.write_text(f'{{"file": "tiny.pth", "sha256": "{"0" * 64}"}}')
    with pytest.raises(ValueError, match=r"but 0{64} is wanted"):
        checked_sha256(weights, None)
    assert checked_sha256(weights, sha256_of(weights)) == sha256_of(weights)
    for text in (
        '{"file": "other.pth", "sha256": "0"}',
        "{",
        "[" * 100_000,
        '{"file": "tiny.pth"}',
    ):
        card.write_text(text)
        assert checked_sha256(weights, None) == sha256_of(weights)


def test_a_flipped_byte_of_the_shipped_weights_is_refused(tmp_path: Path) -> None:
    for name in ("vit_tiny.pth", "vit_tiny.card.json"):
        (tmp_path / name).write_bytes(Path("workflow/resources", name).read_bytes())
    data = bytearray((tmp_path / "vit_tiny.pth").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "vit_tiny.pth").write_bytes(data)
    with pytest.raises(ValueError, match="The file is damaged or another one"):
        load_sam("vit_tiny", tmp_path / "vit_tiny.pth", None, CPU)


def test_weights_with_a_number_that_is_not_finite_are_refused(weights: Path) -> None:
    state = torch.load(weights, weights_only=True)
    next(iter(state.values())).view(-1)[0] = float("nan")
    torch.save(state, weights)
    with pytest.raises(ValueError, match=r"not all numbers of .* are finite"):
        load_sam("vit_tiny", weights, None, CPU)


def test_every_official_file_has_a_builder() -> None:
    assert {entry.model for entry in OFFICIAL.values()} <= set(BUILDERS)


def test_weights_in_use_are_shared_and_others_are_not(weights: Path, tmp_path: Path) -> None:
    sam = load_sam("vit_tiny", weights, None, CPU)
    assert load_sam("vit_tiny", weights, None, CPU) is sam
    torch.manual_seed(9)
    torch.save(build_vit_tiny().state_dict(), tmp_path / "other.pth")
    other = load_sam("vit_tiny", tmp_path / "other.pth", None, CPU)
    assert other is not sam
    known = weakref.ref(sam)
    del sam
    gc.collect()
    assert known() is None  # nobody uses it, so nobody keeps it
