"""A small PartWorld, and what the four programs that learn make of it."""

from typing import Any

import pytest
import torch

from stages.segmenters.tiny import build_vit_tiny
from tests.world import SMALL_REFINE, SMALL_SELECT, Run, World, build_world


@pytest.fixture(scope="session")
def random_sam(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Settings of a tiny SAM with random weights: block `propose.sam`."""
    path = tmp_path_factory.mktemp("sam") / "tiny.pth"
    torch.manual_seed(1)
    torch.save(build_vit_tiny().state_dict(), path)
    return {"model": "vit_tiny", "checkpoint": str(path)}


@pytest.fixture(scope="session")
def small_world(tmp_path_factory: pytest.TempPathFactory, random_sam: dict[str, Any]) -> World:
    """Six images; never write into its folder."""
    return build_world(tmp_path_factory.mktemp("world"), 6, sam=random_sam)


@pytest.fixture(scope="session")
def small_run(small_world: World, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """All four programs on the small world; never write into its folder."""
    run = Run(small_world, tmp_path_factory.mktemp("run"))
    run.fit_select(SMALL_SELECT)
    run.select(SMALL_SELECT)
    run.fit_refine(SMALL_REFINE, SMALL_SELECT)
    run.refine(SMALL_REFINE, SMALL_SELECT, model="refine")
    return run
