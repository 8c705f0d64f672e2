"""What all tests share: one thread, and tests that need something absent are skipped aloud."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: barriers cost more than they give


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for name in ("COCO_TINY", "PHOTOS"):
            if item.get_closest_marker(name.lower()) and not _is_folder(name):
                reason = f"{name} is not set, or is no folder"
                item.add_marker(pytest.mark.skip(reason=reason))
        if item.get_closest_marker("gpu") and not _has_gpu():
            item.add_marker(pytest.mark.skip(reason="no CUDA device"))


def _is_folder(variable: str) -> bool:
    return bool(os.environ.get(variable)) and Path(os.environ[variable]).is_dir()


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()
