"""SAM as a source of features: sizes, and mirrored images."""

from typing import Any

import numpy as np
import pytest
import torch

from stages.segmenters.embed import Encoder, opened_encoder
from stages.settings.segmenters.sam import Settings


@pytest.fixture(scope="module")
def encoder(random_sam: dict[str, Any]) -> Encoder:
    return opened_encoder(Settings(**random_sam), torch.device("cpu"))


@pytest.mark.parametrize(("height", "width"), [(30, 60), (60, 30), (300, 300)])
def test_the_longer_side_is_sam_s(encoder: Encoder, height: int, width: int) -> None:
    image = np.zeros((height, width, 3), dtype=np.uint8)
    seen = encoder.resized(image, flip=False)
    assert max(seen.shape[1:]) == encoder.side
    assert seen.shape[2] / seen.shape[1] == pytest.approx(width / height, rel=0.05)


def test_an_embedding_has_the_channels_and_the_stride_that_are_told(encoder: Encoder) -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    seen = encoder.embedded(encoder.resized(image, flip=False))
    assert seen.shape[0] == encoder.channels
    assert seen.shape[1] * encoder.stride == seen.shape[2] * encoder.stride == encoder.side


def test_a_mirrored_image_is_mirrored_before_it_is_embedded(encoder: Encoder) -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    flipped = encoder.resized(image, flip=True)
    assert torch.equal(flipped, encoder.resized(image, flip=False).flip(2))


def test_in_bfloat16_an_embedding_is_nearly_the_same(
    encoder: Encoder, random_sam: dict[str, Any]
) -> None:
    settings = Settings(**random_sam, precision="bfloat16")
    half = opened_encoder(settings, torch.device("cpu"))
    image = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    pixels = encoder.resized(image, flip=False)
    exact, seen = encoder.embedded(pixels), half.embedded(pixels)
    assert seen.dtype == torch.float32
    assert not torch.equal(seen, exact)
    torch.testing.assert_close(seen, exact, atol=0.1, rtol=0.1)


def test_with_fused_attention_an_embedding_is_the_same_but_for_rounding(
    encoder: Encoder, random_sam: dict[str, Any]
) -> None:
    fused = opened_encoder(Settings(**random_sam, attention="fused"), torch.device("cpu"))
    assert fused.sam is not encoder.sam
    pixels = encoder.resized(np.zeros((40, 50, 3), dtype=np.uint8), flip=False)
    torch.testing.assert_close(fused.embedded(pixels), encoder.embedded(pixels))
