"""VGG-16 with a map of stride 8, as the detection heads of WeakSAM have it, and its weight file.

WeakSAM, Sec. 3.3 (OICR's and MIST's backbone): the pooling behind the fourth block is left out, and
the fifth is dilated by 2 instead; there is no FPN and no norm, so that the 512 channels go straight
to RoI pooling. The weights are torchvision's, and so are mean and deviation of the pixels; the
released code takes weights of Caffe, with BGR means (OICR's 104, 117, 124) and no deviation. RoIs
are pooled as everywhere here, by RoIAlign; papers and code have RoIPool.
"""

import math
from pathlib import Path

import torch
import torchvision
from torch import Tensor, nn
from torchvision.models.vgg import cfgs, make_layers

from stages.runtime.provenance import sha256_of
from stages.runtime.weights import read_weights

POOL4, POOL5 = 23, 30  # places among torchvision's layers
ENDS = (0, 5, 10, 17, 24, POOL5)  # of the first 0 to 5 blocks
FULL = {"classifier.0": "0", "classifier.3": "2"}  # fc6 and fc7, and their places in the trunk
FULL_HIDDEN, FULL_SIDE = 4096, 7  # width of both, and side of the pooled map before them
LAST = "classifier.6."  # tells ImageNet's classes, so that any other number of them will do


class Vgg16(nn.Module):
    """The convolutions of VGG-16: (b, 3, h, w) normalised pixels to one map of 512 channels."""

    strides = (8,)

    def __init__(self) -> None:
        super().__init__()
        layers = make_layers(cfgs["D"], batch_norm=False)
        layers[POOL4] = nn.Identity()
        self.features = layers[:POOL5]
        for place, layer in enumerate(self.features):
            if isinstance(layer, nn.Conv2d):
                _start(layer)
                if place > POOL4:
                    layer.dilation = layer.padding = (2, 2)

    def forward(self, pixels: Tensor) -> list[Tensor]:
        """One level, (b, 512, h / 8, w / 8)."""
        return [self.features(pixels)]

    def freeze(self, blocks: int) -> None:
        """The first `blocks` of 5 are not trained."""
        self.features[: ENDS[blocks]].requires_grad_(False)


def _start(conv: nn.Conv2d) -> None:
    """First weights as torchvision's VGG has them."""
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    assert conv.bias is not None
    nn.init.zeros_(conv.bias)


def load_maps(maps: Vgg16, state: dict[str, Tensor]) -> None:
    """Give the convolutions the weights of a file; state : from `vgg_weights`."""
    maps.load_state_dict({k: v for k, v in state.items() if k.startswith("features.")})


def load_trunk(trunk: nn.Sequential, state: dict[str, Tensor]) -> None:
    """Give two layers of 4096, on pooled maps of side 7, the weights of fc6 and fc7."""
    kinds = ("weight", "bias")
    trunk.load_state_dict(
        {f"{own}.{kind}": state[f"{name}.{kind}"] for name, own in FULL.items() for kind in kinds}
    )


def vgg_weights(weights: Path, sha256: str | None) -> dict[str, Tensor]:
    """Weights of torchvision's VGG-16 by their names there, all but those of the last layer.

    Raises
    ------
    ValueError : missing file, wrong checksum, weights of another network, or numbers that are not
        finite, as fc6 and fc7 are in torchvision's second file, made for other pixels.
    """
    if not weights.is_file():
        raise ValueError(f"{weights}: this VGG-16 weight file is missing. Correct its path.")
    if sha256 and sha256_of(weights) != sha256.lower():
        raise ValueError(f"{weights}: its sha256 is {sha256_of(weights)}, but {sha256} is wanted.")
    state = read_weights(weights, whole=False)
    try:
        kept = {key: value for key, value in state.items() if not key.startswith(LAST)}
        odd = _differences({key: value.shape for key, value in kept.items()})
    except Exception as error:  # torch raises many kinds for damaged files
        reason = str(error).splitlines()[0].strip()
        raise ValueError(f"{weights}: not the weights of VGG-16 ({reason}).") from error
    if odd:
        raise ValueError(f"{weights}: not the weights of VGG-16 (first differences: {odd[:3]}).")
    broken = [key for key, value in kept.items() if not math.isfinite(value.sum())]
    if broken:
        raise ValueError(
            f"{weights}: not all of {broken[0]} is finite. Take torchvision's vgg16-397923af.pth."
        )
    return kept


def _differences(shapes: dict[str, torch.Size]) -> list[str]:
    """Names of weights that are missing, unknown, or of another shape than torchvision's."""
    with torch.device("meta"):  # shapes alone, no half a gigabyte of numbers
        whole = torchvision.models.vgg16(weights=None).state_dict()
    wanted = {key: value.shape for key, value in whole.items() if not key.startswith(LAST)}
    names = [*wanted, *(key for key in shapes if key not in wanted)]
    return [name for name in names if wanted.get(name) != shapes.get(name)]
