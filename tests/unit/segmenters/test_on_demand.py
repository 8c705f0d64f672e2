"""The segmenter is opened once, when it is due; its weights are checked at once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import cast

import pytest
import torch

from stages.runtime.provenance import sha256_of
from stages.segmenters.on_demand import OnDemand
from stages.segmenters.sam import SamSegmenter
from stages.segmenters.tiny import build_vit_tiny
from stages.settings.propose import Propose
from stages.settings.section import from_values


@pytest.fixture
def settings(tmp_path: Path) -> Propose:
    path = tmp_path / "tiny.pth"
    torch.save(build_vit_tiny().state_dict(), path)
    return from_values(Propose, {"sam": {"checkpoint": str(path)}}, "propose")


def test_the_model_is_loaded_once_and_only_when_asked(settings: Propose) -> None:
    leases: list[str] = []

    def device() -> torch.device:
        leases.append("one")
        return torch.device("cpu")

    segmenter = OnDemand(settings, device)
    assert segmenter.digest == sha256_of(Path(settings.sam.checkpoint))
    assert leases == []
    assert segmenter() is segmenter()
    assert leases == ["one"]


def test_each_thread_has_its_own_on_one_device(settings: Propose) -> None:
    leases: list[str] = []

    def device() -> torch.device:
        leases.append("one")
        return torch.device("cpu")

    segmenter, together = OnDemand(settings, device), Barrier(3, timeout=60)

    def opened(_: int) -> tuple[SamSegmenter, SamSegmenter]:
        together.wait()
        return cast(SamSegmenter, segmenter()), cast(SamSegmenter, segmenter())

    with ThreadPoolExecutor(3) as pool:
        pairs = list(pool.map(opened, range(3)))
    assert all(first is again for first, again in pairs)
    assert len({id(first) for first, _ in pairs}) == 3
    assert len({id(first.predictor.model) for first, _ in pairs}) == 1  # weights are there once
    assert leases == ["one"]


def test_missing_weights_are_refused_before_anything_is_asked(tmp_path: Path) -> None:
    block = {"sam": {"checkpoint": str(tmp_path / "none.pth")}}
    with pytest.raises(ValueError, match="is missing"):
        OnDemand(from_values(Propose, block, "propose"), lambda: pytest.fail("was opened"))


def test_facts_hold_the_code_of_the_asker_and_of_the_segmenter(settings: Propose) -> None:
    facts = OnDemand(settings, lambda: torch.device("cpu")).facts("stages.segmenters.zoom", {})
    names = {entry.split("@")[0] for entry in facts["code"]}
    assert {"stages.segmenters.zoom", "stages.segmenters.sam"} <= names
    assert "stages.segmenters.proposing" not in names


def test_facts_hold_the_packages_of_the_segmenter_and_of_what_becomes_of_masks(
    settings: Propose,
) -> None:
    facts = OnDemand(settings, lambda: torch.device("cpu")).facts("stages.segmenters.zoom", {})
    packages = "numpy opencv-python-headless pycocotools segment-anything-py torch"
    assert " ".join(sorted(facts["packages"])) == packages
