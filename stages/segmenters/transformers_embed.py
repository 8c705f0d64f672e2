"""The image encoder of a promptable model of `transformers` as a source of features."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from stages.segmenters.transformers import embedded, prepared
from stages.segmenters.transformers_loading import Loaded


class PromptableEncoder:
    """A frozen model that is not asked, but looked through.

    Attributes
    ----------
    side : px of the longer side of an image on the model's grid. stride : px of it per cell of the
        embedding. channels : of the embedding.
    """

    def __init__(self, loaded: Loaded):
        prompts = loaded.model.config.prompt_encoder_config
        self.loaded, self.side = loaded, loaded.side
        self.stride = float(prompts.patch_size)
        self.channels = int(prompts.hidden_size)

    def resized(self, image: np.ndarray, *, flip: bool) -> Tensor:
        """(height, width, 3) uint8 to (3, side, side) float32 as the model takes it."""
        image = np.ascontiguousarray(image[:, ::-1]) if flip else image
        return prepared(self.loaded, image)[0]

    def embedded(self, pixels: Tensor, size: tuple[int, int]) -> Tensor:
        """Embedding of one image: (3, side, side) from `resized` to (c, cells, cells), float32.

        Parameters
        ----------
        size : (height, width) px of the image.
        """
        found = embedded(self.loaded, pixels)["image_embeddings"]
        last = found if isinstance(found, Tensor) else found[-1]  # coarsest of several maps
        last = last[0].clone()
        return unsqueezed(last, size) if self.loaded.family.square else last


@torch.no_grad()
def unsqueezed(squeezed: Tensor, size: tuple[int, int]) -> Tensor:
    """A map of an image that was squeezed into a square, with the sides of its cells equal again.

    Parameters
    ----------
    squeezed : (c, cells, cells). size : (height, width) of the image in px.

    Returns
    -------
    (c, cells, cells): the longer side fills the square; beyond the shorter one its border goes on.
    """
    cells, long = squeezed.shape[-1], max(size)
    centres = (torch.arange(cells, device=squeezed.device) + 0.5) / cells * long  # px of the image
    down, across = (centres / length * 2 - 1 for length in size)  # -1 to 1 over the image
    grid = torch.stack(torch.meshgrid(across, down, indexing="xy"), dim=-1)[None]
    return F.grid_sample(squeezed[None], grid, padding_mode="border", align_corners=False)[0]
