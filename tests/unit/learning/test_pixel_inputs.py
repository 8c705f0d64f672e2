"""Resized pixels: the size of the paper, and boxes that land where the pixels are."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stages.learning.backbone import ResNetFpn
from stages.learning.pixel_inputs import PixelInputs, facts_of_features
from stages.runtime.provenance import sha256_of
from stages.settings.propose import Propose
from stages.settings.selectors.psm import Features
from tests.one_photograph import row_of, written

CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return written(tmp_path)


@pytest.mark.parametrize(
    ("size", "factor"),
    [((800, 1333), 1.0), ((400, 400), 2.0), ((400, 4000), 1333 / 4000), ((1600, 1600), 0.5)],
)
def test_resnet_input_is_scaled_as_in_the_paper(
    tmp_path: Path, size: tuple[int, int], factor: float
) -> None:
    inputs = PixelInputs(tmp_path, CPU, Features(short_side=800, long_side=1333))
    assert inputs.factor(size) == pytest.approx(factor)


@pytest.mark.parametrize("flip", [False, True])
def test_pixels_lie_where_the_scaled_box_says(folder: Path, flip: bool) -> None:
    inputs = PixelInputs(folder, CPU, Features(short_side=120, long_side=400))
    image = inputs.read(row_of(folder), flip=flip)
    assert image.shape == (3, 128, 224)  # 120 x 200 padded to multiples of 32
    bright = image[0, :120, :200] > 0
    rows, columns = bright.nonzero().unbind(1)
    assert (rows.min(), rows.max() + 1) == pytest.approx((40, 80), abs=1)
    box = (140, 180) if flip else (20, 60)
    assert (columns.min(), columns.max() + 1) == pytest.approx(box, abs=1)


def test_a_photograph_that_was_replaced_is_refused(folder: Path) -> None:
    row = row_of(folder)
    Image.fromarray(np.ones((60, 100, 3), np.uint8)).save(folder / "a.png")
    with pytest.raises(ValueError, match=r"a\.png.*replaced"):
        PixelInputs(folder, CPU, Features()).read(row, flip=False)


def test_maps_are_those_of_a_resnet(folder: Path) -> None:
    features = Features(source="resnet18", channels=16)
    maps, strides = PixelInputs(folder, CPU, features).maps(features)
    assert isinstance(maps, ResNetFpn)
    assert strides == (4, 8, 16, 32, 64)


def test_a_weight_file_counts_by_its_checksum(tmp_path: Path) -> None:
    assert facts_of_features(Features(source="resnet18"), Propose()) == {}
    path = tmp_path / "weights.pth"
    path.write_bytes(b"w")
    features = Features(source="resnet18", weights=str(path))
    assert facts_of_features(features, Propose()) == {"model_sha256": sha256_of(path)}
    path.unlink()
    with pytest.raises(ValueError, match="missing"):
        facts_of_features(features, Propose())
