"""The tiny SAM: segment_anything's own modules, small enough to train and run on one CPU core.

Nothing comes in; out goes a randomly initialised `Sam` of 1.5 M parameters (6.1 MB). It is a stock
`Sam` in every respect (three multimask outputs and one single output, IoU head, mask threshold 0),
so that `SamPredictor` and `SamAutomaticMaskGenerator` run it unchanged. Images enter
at 128 px, masks leave on a 64 x 64 grid. `stages.partworld.train_sam` trains it.
"""

from __future__ import annotations

from functools import partial

import torch
from segment_anything.modeling import (
    ImageEncoderViT,
    MaskDecoder,
    PromptEncoder,
    Sam,
    TwoWayTransformer,
)
from torch import nn

IMAGE_SIDE = 128  # px, long side after resizing
PATCH = 8  # px
TOKENS = IMAGE_SIDE // PATCH
PROMPT_DIM = 96
FREQUENCIES = (0.7, 4.0)  # slowest and fastest scale of the position encoding, stock SAM = 1


def _encoder() -> ImageEncoderViT:
    return ImageEncoderViT(
        img_size=IMAGE_SIDE,
        patch_size=PATCH,
        embed_dim=128,
        depth=5,
        num_heads=4,
        mlp_ratio=4,
        out_chans=PROMPT_DIM,
        qkv_bias=True,
        norm_layer=partial(nn.LayerNorm, eps=1e-6),
        use_rel_pos=False,
        window_size=0,
        global_attn_indexes=(0, 1, 2, 3, 4),
    )


def _decoder() -> MaskDecoder:
    return MaskDecoder(
        num_multimask_outputs=3,
        transformer=TwoWayTransformer(depth=2, embedding_dim=PROMPT_DIM, mlp_dim=256, num_heads=4),
        transformer_dim=PROMPT_DIM,
        iou_head_depth=2,
        iou_head_hidden_dim=96,
    )


def build_vit_tiny() -> Sam:
    """The tiny SAM with random weights, in eval mode, on the CPU.

    Returns
    -------
    segment_anything `Sam`; image side 128 px, 16 x 16 tokens, low-resolution masks 64 x 64.
    The position encoding's random frequencies are spread from 0.7 to 4 times the stock scale:
    stock SAM blurs a click over a sixth of the image, too much for parts of a few pixels.
    They are a buffer, hence part of the checkpoint.
    """
    sam = Sam(
        image_encoder=_encoder(),
        prompt_encoder=PromptEncoder(
            embed_dim=PROMPT_DIM,
            image_embedding_size=(TOKENS, TOKENS),
            input_image_size=(IMAGE_SIDE, IMAGE_SIDE),
            mask_in_chans=16,
        ),
        mask_decoder=_decoder(),
        pixel_mean=[123.675, 116.28, 103.53],
        pixel_std=[58.395, 57.12, 57.375],
    )
    frequencies = sam.prompt_encoder.pe_layer.positional_encoding_gaussian_matrix
    low, high = (torch.tensor(value).log() for value in FREQUENCIES)
    frequencies.mul_(torch.linspace(float(low), float(high), frequencies.shape[1]).exp())
    nn.init.trunc_normal_(sam.image_encoder.pos_embed, std=0.02)  # stock SAM starts it at zero
    return sam.eval()
