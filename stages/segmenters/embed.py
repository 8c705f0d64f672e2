"""SAM's image encoder as a source of features: the image resized, mirrored or not, embedded."""

import numpy as np
import torch
from segment_anything.modeling import Sam
from segment_anything.utils.transforms import ResizeLongestSide
from torch import Tensor

from stages.segmenters.sam import loaded
from stages.settings.segmenters.sam import Settings


def opened_encoder(settings: Settings, device: torch.device) -> "Encoder":
    """The image encoder of the SAM that section `propose.sam` names, on `device`."""
    return Encoder(loaded(settings, device), half=settings.precision == "bfloat16")


class Encoder:
    """A frozen SAM that is not asked, but looked through.

    Parameters
    ----------
    half : the encoder computes in bfloat16, as `propose.sam.precision` has it.

    Attributes
    ----------
    side : px of the longer side of a resized image. stride : px of it per cell of the embedding.
    channels : of the embedding.
    """

    def __init__(self, sam: Sam, *, half: bool = False):
        self.sam, self.half = sam, half
        self.side = int(sam.image_encoder.img_size)
        self.stride = float(self.side / sam.prompt_encoder.image_embedding_size[0])
        self.channels = int(sam.prompt_encoder.embed_dim)

    def resized(self, image: np.ndarray, *, flip: bool) -> Tensor:
        """(height, width, 3) uint8 to (3, h, w) float32 of 0 to 255, mirrored or not."""
        small = ResizeLongestSide(self.side).apply_image(image)
        small = small[:, ::-1] if flip else small
        return torch.from_numpy(np.ascontiguousarray(small)).permute(2, 0, 1).float()

    @torch.inference_mode()
    def embedded(self, pixels: Tensor) -> Tensor:
        """Embedding of one image: (3, h, w) from `resized` to (c, cells, cells), float32."""
        batch = self.sam.preprocess(pixels.to(self.sam.device))[None]
        with torch.autocast(batch.device.type, dtype=torch.bfloat16, enabled=self.half):
            return self.sam.image_encoder(batch)[0].float().clone()  # type: ignore[no-any-return]
