"""Batched forward passes of a stock `Sam`: many prompts on many images at once.

The stock `MaskDecoder` decodes the prompts of one image; training wants the prompts of a whole
batch in one pass. The arithmetic is the stock one (a test holds both against each other); only the
repetition of the image embedding is replaced by an index.
"""

from __future__ import annotations

import torch
from segment_anything.modeling import Sam
from torch import Tensor, nn

DENSE_CHANNELS = 8


def dense_head(width: int) -> nn.Module:
    """Auxiliary head for training only: (n, width, 16, 16) embeddings to (n, 8, 64, 64) maps."""
    return nn.Sequential(
        nn.ConvTranspose2d(width, 48, 2, 2),
        nn.GELU(),
        nn.ConvTranspose2d(48, 24, 2, 2),
        nn.GELU(),
        nn.Conv2d(24, DENSE_CHANNELS, 3, padding=1),
    )


def encode(sam: Sam, images: Tensor) -> Tensor:
    """Image embeddings.

    Parameters
    ----------
    sam : the model.
    images : (n_images, 3, side, side) uint8 RGB, already at the model's image side.

    Returns
    -------
    (n_images, c, h, w) float.
    """
    answer: Tensor = sam.image_encoder((images.float() - sam.pixel_mean) / sam.pixel_std)
    return answer


def _decode_tokens(sam: Sam, source: Tensor, sparse: Tensor) -> tuple[Tensor, Tensor]:
    """Stock `MaskDecoder.predict_masks`, with one image embedding per prompt already chosen."""
    decoder = sam.mask_decoder
    n, c, h, w = source.shape
    own = torch.cat([decoder.iou_token.weight, decoder.mask_tokens.weight])
    tokens = torch.cat([own.expand(n, -1, -1), sparse], dim=1)  # (n, 5 + n_sparse, c)
    position = sam.prompt_encoder.get_dense_pe().expand(n, -1, -1, -1)
    answer, image = decoder.transformer(source, position, tokens)
    image = decoder.output_upscaling(image.transpose(1, 2).reshape(n, c, h, w))
    weights = torch.stack(
        [mlp(answer[:, 1 + k]) for k, mlp in enumerate(decoder.output_hypernetworks_mlps)], dim=1
    )
    return weights @ image.flatten(2), decoder.iou_prediction_head(answer[:, 0])


def decode(
    sam: Sam,
    embeddings: Tensor,
    image_of: Tensor,
    *,
    points: Tensor | None = None,
    boxes: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Masks for prompts on any images of a batch.

    Parameters
    ----------
    sam : the model.
    embeddings : (n_images, c, h, w) float from `encode`.
    image_of : (n_prompts,) int, the image of each prompt.
    points : (n_prompts, n_points, 2) float px of the model's frame, all positive; or None.
    boxes : (n_prompts, 4) float xyxy px of the model's frame; or None.

    Returns
    -------
    (n_prompts, 4, 16 * h * w) float mask logits, slot 0 being the single-mask token;
    (n_prompts, 4) float predicted IoUs.
    """
    labels = None if points is None else torch.ones(points.shape[:2], dtype=torch.int64)
    asked = None if points is None or labels is None else (points, labels)
    sparse, dense = sam.prompt_encoder(points=asked, boxes=boxes, masks=None)
    masks, quality = _decode_tokens(sam, embeddings[image_of] + dense, sparse)
    return masks.float(), quality.float()
