"""What all tests share: one thread, and tests that need something absent are skipped aloud."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: barriers cost more than they give


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("coco_tiny") and not _coco_tiny():
            item.add_marker(pytest.mark.skip(reason="COCO_TINY is not set, or is no folder"))
        if item.get_closest_marker("gpu") and not _has_gpu():
            item.add_marker(pytest.mark.skip(reason="no CUDA device"))


def _coco_tiny() -> bool:
    return bool(os.environ.get("COCO_TINY")) and Path(os.environ["COCO_TINY"]).is_dir()


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()
