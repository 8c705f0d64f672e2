"""What the network sees of an image; the door is `stages.learning.features`.

All inputs know the factor from the image's own pixels to those of the network's input, in which
all geometry of PSM and PRM is measured (papers/SAPNet: "the resized input").
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from stages.learning.two_branch import TwoBranch
from stages.photographs.reading import photograph
from stages.settings.selectors.psm import Features

Key = tuple[Mapping[str, Any], bool]  # row of table `images`, and whether it is mirrored


class Inputs(ABC):
    """Reads images of one folder for one kind of network."""

    def __init__(self, folder: Path, device: torch.device):
        self.folder, self.device = folder, device

    @abstractmethod
    def factor(self, size: tuple[float, float]) -> float:
        """Pixels of the network's input per pixel of an image of (height, width) px."""

    @abstractmethod
    def read(self, image: Mapping[str, Any], *, flip: bool) -> Tensor:
        """One image, a row of table `images`, on the CPU, as far as a reading process can."""

    @abstractmethod
    def batch(self, images: Sequence[Tensor], keys: Sequence[Key]) -> Tensor:
        """A batch on the device; `images` are what `read` made of the keys."""

    @abstractmethod
    def maps(self, features: Features) -> tuple[nn.Module, tuple[float, ...]]:
        """What makes feature maps of a batch, finest first, and the stride of each in px."""

    def start(self, network: TwoBranch, features: Features) -> None:  # noqa: B027
        """Give a fresh network what its source has beside first weights of the maps: nothing."""

    def pixels(self, image: Mapping[str, Any]) -> np.ndarray:
        """The image as (height, width, 3) uint8; refused where it is not the one prepared."""
        return photograph(self.folder, image)
