"""The network of PSM and PRM: feature maps, RoI pooling, two shared layers, two branches per head.

SAPNet, Sec. 3.2, and the authors' code: two fully-connected layers shared by both stages, for each
stage a classification and an instance branch; no box regression.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stages.learning.dropout import ImageDropout
from stages.learning.pooling import pooled
from stages.settings.selectors.psm import Features

PRIOR = 0.01  # probability of a class before training, as a bias of the classification branch


class Head(nn.Module):
    """Classification and instance logits of RoI vectors: (r, hidden) to (r, k) each."""

    def __init__(self, hidden: int, classes: int):
        super().__init__()
        self.cls = nn.Linear(hidden, classes)
        self.ins = nn.Linear(hidden, classes)
        for layer in (self.cls, self.ins):
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)
        nn.init.constant_(self.cls.bias, -math.log((1 - PRIOR) / PRIOR))


class TwoBranch(nn.Module):
    """One stage's network.

    Parameters
    ----------
    features : the config's section `features` of the selector.
    heads : number of columns of each head, by its name ("psm", "prm").
    maps : makes feature maps, finest first, of what the inputs give. strides : px of the network's
        input per cell of each.
    mixed : layers compute in bfloat16; pooling, and all that follows the logits, in float32.
    """

    def __init__(
        self,
        features: Features,
        heads: dict[str, int],
        maps: nn.Module,
        strides: tuple[float, ...],
        *,
        mixed: bool = False,
    ):
        super().__init__()
        self.roi_size = features.roi_size
        self.maps, self.strides = maps, strides
        cells = features.map_channels * features.roi_size**2
        self.trunk = nn.Sequential(
            nn.Linear(cells, features.hidden),
            nn.ReLU(),
            nn.Linear(features.hidden, features.hidden),
            nn.ReLU(),
        )
        self.dropout = ImageDropout(features.dropout)  # without weights, so without names
        self.heads = nn.ModuleDict({name: Head(features.hidden, k) for name, k in heads.items()})
        self.mixed = mixed

    def feature_maps(self, pixels: Tensor) -> list[Tensor]:
        """Maps of a batch, (b, c, h, w) each, finest first."""
        with self._precision(pixels):
            maps: list[Tensor] = self.maps(pixels)
        return [level.float() for level in maps]

    def vectors(self, maps: list[Tensor], boxes: list[Tensor]) -> Tensor:
        """Vectors of the boxes of each image: b tensors (r_i, 4) to (sum r_i, hidden)."""
        return self.vectors_of(self.cells(maps, boxes), [len(b) for b in boxes])

    def cells(self, maps: list[Tensor], boxes: list[Tensor]) -> Tensor:
        """Pooled features of the boxes of each image: (sum r_i, c, size, size)."""
        number = [torch.full((len(b), 1), float(i), device=b.device) for i, b in enumerate(boxes)]
        rois = torch.cat([torch.cat([n, b], dim=1) for n, b in zip(number, boxes, strict=True)])
        return pooled(maps, self.strides, rois, self.roi_size)

    def vectors_of(self, cells: Tensor, counts: list[int]) -> Tensor:
        """Vectors of pooled features, (r, c, size, size) to (r, hidden).

        Parameters
        ----------
        counts : rows of each image.
        """
        vectors = cells.flatten(1)
        with self._precision(cells):
            for layer in self.trunk:
                vectors = layer(vectors)
                if isinstance(layer, nn.ReLU):
                    vectors = self.dropout(vectors, counts)
        return vectors

    def logits(self, name: str, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Classification and instance logits of one head, float32."""
        head = self.heads[name]
        assert isinstance(head, Head)
        with self._precision(vectors):
            cls, ins = head.cls(vectors), head.ins(vectors)
        return cls.float(), ins.float()

    def _precision(self, like: Tensor) -> torch.autocast:
        return torch.autocast(like.device.type, torch.bfloat16, enabled=self.mixed)

    def shared(self) -> dict[str, Tensor]:
        """The weights that PSM and PRM share: everything but the heads."""
        return {k: v for k, v in self.state_dict().items() if not k.startswith("heads.")}


def batched_pixels(images: list[Tensor]) -> Tensor:
    """Images of several sizes in one batch, padded to the right and below: (b, c, h, w)."""
    height = max(image.shape[-2] for image in images)
    width = max(image.shape[-1] for image in images)
    padded = [F.pad(i, (0, width - i.shape[-1], 0, height - i.shape[-2])) for i in images]
    return torch.stack(padded)
