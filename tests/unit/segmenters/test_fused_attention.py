"""The encoder with fused attention: as the stock one, but for rounding."""

from copy import deepcopy
from functools import partial

import numpy as np
import pytest
import torch
from segment_anything.modeling import ImageEncoderViT, Sam
from torch import nn

from stages.segmenters.fused_attention import FusedAttention, with_fused_attention
from stages.segmenters.sam import SamSegmenter
from stages.segmenters.segmenter import Asked
from stages.settings.segmenters.sam import Settings


@pytest.fixture(scope="module")
def encoder() -> ImageEncoderViT:
    """As those of the official SAMs: relative positions, windows (padded), one global block."""
    torch.manual_seed(0)
    found = ImageEncoderViT(
        **{"img_size": 80, "patch_size": 8, "embed_dim": 24, "depth": 3, "num_heads": 2},
        **{"out_chans": 16, "qkv_bias": True, "use_rel_pos": True, "window_size": 4},
        **{"norm_layer": partial(nn.LayerNorm, eps=1e-6), "global_attn_indexes": (2,)},
    )
    for parameter in found.parameters():  # positions start at zero
        nn.init.normal_(parameter, std=0.3)
    return found.eval().requires_grad_(False)


def test_an_encoder_of_the_official_kind_says_the_same(encoder: ImageEncoderViT, sam: Sam) -> None:
    whole = deepcopy(sam)
    whole.image_encoder = deepcopy(encoder)
    fused = with_fused_attention(whole).image_encoder
    assert all(isinstance(block.attn, FusedAttention) for block in fused.blocks)
    pixels = torch.randn(2, 3, 80, 80, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(fused(pixels), encoder(pixels), atol=2e-5, rtol=1e-4)


def test_positions_count(encoder: ImageEncoderViT) -> None:
    stock = encoder.blocks[0].attn
    cells = torch.randn(1, 4, 4, 24, generator=torch.Generator().manual_seed(2))
    without = deepcopy(stock)
    without.use_rel_pos = False
    assert not torch.allclose(FusedAttention(without)(cells), FusedAttention(stock)(cells))


def test_masks_are_those_of_the_stock_one_but_for_pixels(sam: Sam, picture: np.ndarray) -> None:
    asked = [Asked(np.array([[20.0, 20.0]]), np.array([1]), None)]
    masks = []
    for one in (sam, with_fused_attention(deepcopy(sam))):
        segmenter = SamSegmenter(one, Settings())
        segmenter.embed(picture)
        masks.append(next(iter(segmenter.ask(asked, multimask=True))).masks)
    assert (masks[0] != masks[1]).mean() < 0.01
