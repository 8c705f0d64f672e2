"""Inputs: embeddings are cached by orientation, and boxes land where the pixels are."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from stages.learning.inputs import PixelInputs, SamInputs
from stages.segmenters.tiny import build_vit_tiny
from stages.settings.selectors.psm import Features

CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pixels = np.zeros((60, 100, 3), np.uint8)
    pixels[20:40, 10:30] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    return tmp_path


@pytest.fixture(scope="module")
def sam() -> Any:
    torch.manual_seed(0)
    return build_vit_tiny()


def test_embeddings_are_computed_once_for_each_orientation(folder: Path, sam: Any) -> None:
    inputs = SamInputs(folder, CPU, sam, folder / "cache")
    seen = {}
    for flip in (False, True):
        image = inputs.read(7, "a.png", flip=flip)
        assert image.shape[0] == 3
        seen[flip] = inputs.batch([image], [(7, flip)])
        cached = inputs.read(7, "a.png", flip=flip)
        assert torch.equal(inputs.batch([cached], [(7, flip)]), seen[flip])
        assert torch.equal(cached, seen[flip][0])
    assert not torch.allclose(seen[True], seen[False])
    assert not torch.allclose(seen[True], seen[False].flip(3), atol=1e-3)  # not the same thing
    assert sorted(p.name for p in (folder / "cache").iterdir()) == ["7-flipped.npy", "7.npy"]


def test_an_embedding_that_a_crash_cut_short_is_made_again(folder: Path, sam: Any) -> None:
    inputs = SamInputs(folder, CPU, sam, folder / "cache")
    whole = inputs.batch([inputs.read(7, "a.png", flip=False)], [(7, False)])
    path = folder / "cache" / "7.npy"
    for length in (0, 100, path.stat().st_size - 1):
        path.write_bytes(path.read_bytes()[:length])
        again = inputs.batch([inputs.read(7, "a.png", flip=False)], [(7, False)])
        assert torch.equal(again, whole)


def test_without_a_cache_nothing_is_written(folder: Path, sam: Any) -> None:
    inputs = SamInputs(folder, CPU, sam, None)
    inputs.batch([inputs.read(7, "a.png", flip=False)], [(7, False)])
    assert [path.name for path in folder.iterdir()] == ["a.png"]


def test_an_embedding_does_not_depend_on_its_batch(folder: Path, sam: Any) -> None:
    inputs = SamInputs(folder, CPU, sam, None)
    images = [inputs.read(7, "a.png", flip=flip) for flip in (False, True)]
    both = inputs.batch(images, [(7, False), (7, True)])
    assert torch.equal(both[1], inputs.batch(images[1:], [(7, True)])[0])


def test_embeddings_can_be_trained_on(folder: Path, sam: Any) -> None:
    inputs = SamInputs(folder, CPU, sam, None)
    batch = inputs.batch([inputs.read(7, "a.png", flip=False)], [(7, False)])
    layer = torch.nn.Conv2d(batch.shape[1], 2, 1)
    layer(batch).sum().backward()
    assert layer.weight.grad is not None


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
    image = inputs.read(7, "a.png", flip=flip)
    assert image.shape == (3, 128, 224)  # 120 x 200 padded to multiples of 32
    bright = image[0, :120, :200] > 0
    rows, columns = bright.nonzero().unbind(1)
    assert (rows.min(), rows.max() + 1) == pytest.approx((40, 80), abs=1)
    box = (140, 180) if flip else (20, 60)
    assert (columns.min(), columns.max() + 1) == pytest.approx(box, abs=1)
