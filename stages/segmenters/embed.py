"""SAM's image encoder as a source of features: the image resized, mirrored or not, embedded."""

import numpy as np
import torch
from segment_anything.modeling import Sam
from segment_anything.utils.transforms import ResizeLongestSide
from torch import Tensor


def resized_pixels(image: np.ndarray, side: int, *, flip: bool) -> Tensor:
    """(height, width, 3) uint8 to (3, h, w) float32 of 0 to 255 whose longer side is `side` px."""
    small = ResizeLongestSide(side).apply_image(image)
    small = small[:, ::-1] if flip else small
    return torch.from_numpy(np.ascontiguousarray(small)).permute(2, 0, 1).float()


@torch.inference_mode()
def embedded(sam: Sam, pixels: Tensor) -> Tensor:
    """Embedding of one image: (3, h, w) from `resized_pixels` to (c, cells, cells), float32."""
    batch = sam.preprocess(pixels.to(sam.device))[None]
    return sam.image_encoder(batch)[0].float().clone()  # type: ignore[no-any-return]


def stride_of(sam: Sam) -> float:
    """Pixels of the resized image per cell of the embedding."""
    return float(sam.image_encoder.img_size / sam.prompt_encoder.image_embedding_size[0])


def channels_of(sam: Sam) -> int:
    """Channels of the embedding."""
    return int(sam.prompt_encoder.embed_dim)
