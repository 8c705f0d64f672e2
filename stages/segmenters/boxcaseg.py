"""BoxCaseg behind the door of the segmenters: what was learned from boxes, asked about boxes.

BoxCaseg (CVPR 2021), its proxy masks: exactly the box is cut out, resized, looked at by the mixed
heads, stretched and put back; outside the box nothing is the object. The network is trained by
`stages.learning.crop_fitting`. It has no estimate of its own quality: the mean probability of the
mask's pixels stands for it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from stages.box_supervision.box_crops import Crop, covering_crop
from stages.box_supervision.paste_back import pasted, stretched
from stages.runtime.provenance import sha256_of
from stages.segmenters.crop_network import CropNetwork, fitted_crop_network
from stages.segmenters.crop_pixels import network_input, resized_crop
from stages.segmenters.prompt_batches import BatchedSegmenter
from stages.segmenters.segmenter import Answered, Asked
from stages.segmenters.soft_answers import answered
from stages.settings.segmenters.boxcaseg import Settings

PACKAGES = ("torch", "torchvision", "numpy", "opencv-python-headless", "pillow")


def model_digest(settings: Settings, model: Path) -> str:
    """SHA-256 of the trained network; raises ValueError where it is missing."""
    if not model.is_file():
        raise ValueError(f"{model}: this model is missing. Run snakemake to make it.")
    return sha256_of(model)


def opened_segmenter(settings: Settings, *, device: torch.device, model: Path) -> "BoxCaseg":
    """The trained network on a device; raises ValueError as `fitted_crop_network`."""
    return BoxCaseg(fitted_crop_network(model, settings).to(device), settings, device)


class BoxCaseg(BatchedSegmenter):
    """Cuts boxes out of one image after the other, and says what in them is the object."""

    name = "boxcaseg"

    def __init__(self, network: CropNetwork, settings: Settings, device: torch.device):
        self.network, self.settings, self.device = network, settings, device
        self.batch, self.mask_memory = settings.prompts_per_batch, settings.mask_memory
        self.size = (1, 1)
        self.pixels = np.zeros((1, 1, 3), dtype=np.uint8)  # of the image that is asked about

    @property
    def side(self) -> int:
        """Px of the square that a crop becomes."""
        return self.settings.size

    def embed(self, pixels: np.ndarray) -> None:
        """Keep an image, (height, width, 3) uint8 RGB, at hand; a question alone costs time."""
        self.pixels, self.size = pixels, (pixels.shape[0], pixels.shape[1])

    def _ask_batch(
        self, prompts: Sequence[Asked], *, multimask: bool, logits: bool
    ) -> list[Answered]:
        height, width = self.pixels.shape[:2]
        crops = [
            covering_crop(box_of(prompt), height, width, margin=self.settings.margin)
            for prompt in prompts
        ]
        mixed = self.chances(crops)["mixed"]
        return [
            answered(
                pasted(self._stretched(chances), crop, height, width),
                crop,
                threshold=self.settings.threshold,
                offset=self.settings.stability_offset,
                logits=logits,
            )
            for chances, crop in zip(mixed, crops, strict=True)
        ]

    def _stretched(self, chances: np.ndarray) -> np.ndarray:
        return stretched(chances, flat=self.settings.flat) if self.settings.minmax else chances

    @torch.inference_mode()
    def chances(self, crops: Sequence[Crop]) -> dict[str, np.ndarray]:
        """What each head, and `mixed`, thinks of crops of the image that was embedded last.

        Returns
        -------
        (n, size, size) float32 probabilities each, before they are stretched.
        """
        parts = np.stack([resized_crop(self.pixels, crop, self.side) for crop in crops])
        none = np.zeros(len(parts), dtype=bool)
        pixels = network_input(parts, none, norm=self.settings.norm)
        found: Mapping[str, Tensor] = self.network(pixels.to(self.device))
        return {name: logits.float().sigmoid().cpu().numpy() for name, logits in found.items()}


def head_maps(
    segmenter: BoxCaseg, pixels: np.ndarray, box: np.ndarray
) -> tuple[Crop, dict[str, np.ndarray]]:
    """What each head sees in one box, for pictures of it.

    Parameters
    ----------
    pixels : (height, width, 3) uint8 RGB. box : (4,) xyxy px.

    Returns
    -------
    The crop, and for each head and for `mixed` (size, size) float32 probabilities of it.
    """
    segmenter.embed(pixels)
    crop = covering_crop(box, *pixels.shape[:2], margin=segmenter.settings.margin)
    return crop, {name: maps[0] for name, maps in segmenter.chances([crop]).items()}


def box_of(prompt: Asked) -> np.ndarray:
    """The box of a prompt; its points, if any, are not looked at.

    Raises
    ------
    ValueError : it has none.
    """
    if prompt.box is None:
        raise ValueError(
            "propose.segmenter is boxcaseg, which answers boxes alone, but a prompt is of points. "
            "Set prepare.labels: box, or take a segmenter that answers points, such as sam."
        )
    return prompt.box
