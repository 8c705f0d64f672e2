"""Resized pixels for a VGG-16 that is trained (WeakSAM, Sec. 3.3), read as for a ResNet.

One scale of the image; the released code draws one of several (short sides of 480 to 1200 px) for
each step, and averages over them when it asks, which is not built.
"""

from pathlib import Path

import torch
from torch import nn

from stages.learning.pixel_inputs import PACKAGES, PixelInputs, facts_of_features
from stages.learning.two_branch import TwoBranch
from stages.learning.vgg import (
    FULL_HIDDEN,
    FULL_SIDE,
    Vgg16,
    load_maps,
    load_trunk,
    vgg_weights,
)
from stages.settings.propose import Propose
from stages.settings.selectors.psm import Features

__all__ = ["PACKAGES", "VggInputs", "facts_of_features", "opened_inputs"]


def opened_inputs(
    features: Features, propose: Propose, *, folder: Path, device: torch.device, cache: Path | None
) -> "VggInputs":
    """Inputs for VGG-16; nothing is kept in `cache`."""
    return VggInputs(folder, device, features)


class VggInputs(PixelInputs):
    """Resized, normalised pixels for VGG-16."""

    def maps(self, features: Features) -> tuple[nn.Module, tuple[float, ...]]:
        """VGG-16 from scratch: `start` reads its weight file, which holds more than maps."""
        return Vgg16(), Vgg16.strides

    def start(self, network: TwoBranch, features: Features) -> None:
        """Weights of the file for maps and, at VGG's own size, trunk; the first blocks frozen.

        From scratch all is trained, as with a ResNet: filters drawn at random are no ground.
        """
        if not features.weights:
            return
        maps = network.maps
        assert isinstance(maps, Vgg16)
        state = vgg_weights(Path(features.weights), features.weights_sha256)
        load_maps(maps, state)
        if (features.hidden, features.roi_size) == (FULL_HIDDEN, FULL_SIDE):
            load_trunk(network.trunk, state)
        maps.freeze(features.frozen)
