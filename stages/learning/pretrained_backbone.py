"""Any image backbone of `transformers`, such as DINOv2, frozen: one feature map of an image.

Not in the paper. A backbone is what the library lists as one; it is opened by its own class, since
`AutoBackbone` asks the hub whatever the path. Of its maps the last one is taken, and `out_indices`
in the folder's config.json says which that is.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from stages.learning.pixel_inputs import PixelScale, scaled
from stages.segmenters.pretrained import model_type
from stages.segmenters.transformers_loading import library, opened_pretrained, opened_processor

KEY = "select.psm.features.path"
FETCHING = ("timm_backbone",)  # its weights always come from a hub
NORMS = "hidden_states_norms."  # not in the weights of a whole Swin: they start at 1 and 0
TRIED = 448  # px of an image of which strides are learned; whole cells of 14, 16 and 32 px


def opened_backbone(folder: Path, scale: PixelScale, device: torch.device) -> "BackboneEncoder":
    """The backbone of a folder, on a device.

    Raises
    ------
    ValueError : it does not open, the library has no backbone of this type, or it takes images of
        one size alone.
    """
    transformers = library()
    name = model_type(folder, KEY)
    known = transformers.models.auto.modeling_auto.MODEL_FOR_BACKBONE_MAPPING_NAMES
    if name not in known or name in FETCHING:
        raise ValueError(
            f"{KEY}: {folder} holds a model of type {name}, of which transformers has no image "
            "backbone. Take another, such as dinov2, or leave the key null: the segmenter's own."
        )
    model = opened_pretrained(getattr(transformers, known[name]), folder, KEY, spared=NORMS)
    processor = opened_processor(transformers.AutoImageProcessor, folder, KEY)
    try:
        return BackboneEncoder(model.to(device), processor, scale)
    except (RuntimeError, AssertionError, ValueError) as error:
        raise ValueError(
            f"{KEY}: {folder}: {name} does not take an image of {TRIED} px ({error}). Take a "
            "backbone that serves images of any size."
        ) from error


class BackboneEncoder:
    """A frozen backbone that is looked through.

    Attributes
    ----------
    stride : px of the network's input per cell of the map. channels : of the map.
    """

    def __init__(self, model: Any, processor: Any, scale: PixelScale):
        self.model, self.scale = model, scale
        self.mean, self.std = (
            torch.tensor(value, dtype=torch.float32)[:, None, None] / processor.rescale_factor
            for value in (processor.image_mean, processor.image_std)
        )  # of pixels of 0 to 255
        tried = self._map(torch.zeros(1, 3, TRIED, TRIED, device=model.device))
        self.channels, self.stride = tried.shape[1], TRIED / tried.shape[-1]
        if not self.stride.is_integer():
            raise ValueError(f"its map has {tried.shape[-1]} cells")

    def resized(self, image: np.ndarray, *, flip: bool) -> Tensor:
        """(height, width, 3) uint8 to (3, h, w) float32, normalised, in whole cells."""
        small = (scaled(image, self.scale) - self.mean) / self.std
        small = small.flip(2) if flip else small
        cell = int(self.stride)
        return F.pad(small, (0, -small.shape[2] % cell, 0, -small.shape[1] % cell))

    def embedded(self, pixels: Tensor) -> Tensor:
        """(3, h, w) from `resized` to (c, h / stride, w / stride), float32."""
        return self._map(pixels[None].to(self.model.device))[0].clone()

    @torch.inference_mode()
    def _map(self, pixels: Tensor) -> Tensor:
        found: Tensor = self.model(pixels).feature_maps[-1].float()
        return found
