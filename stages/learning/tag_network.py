"""The network of OICR and MIST: a two-branch head over an image, and branches that refine it.

WeakSAM, Sec. 3.3, on the maps, pooling and layers that PSM has. Papers and code have VGG-16 with a
stride of 8, which is `features.source: vgg16`, and RoIPool, for which RoIAlign stands here.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from stages.learning.inputs import Inputs
from stages.learning.two_branch import TwoBranch
from stages.mil.drop_block import (
    adversarial,
    centre_odds,
    concrete,
    hidden_blocks,
    kept_cells,
)
from stages.settings.selectors.tag_heads import DropBlock, TagHeads

HEAD = "mil"  # the two-branch head
STD = 0.01  # of first weights; MIST's code: 0.001


@dataclass(frozen=True, slots=True)
class Answer:
    """Logits of the proposals of one image or of all of a batch, float32.

    cls, ins : (r, c), or (r, 1 + c) with a column for the background in front.
    refined : per branch (r, 1 + c), the background first.
    moves : per branch (r, 4 (1 + c)); none without regression.
    """

    cls: Tensor
    ins: Tensor
    refined: list[Tensor]
    moves: list[Tensor]

    def split(self, counts: list[int]) -> "list[Answer]":
        """The answer of each image; counts : its number of proposals."""
        cls, ins = torch.split(self.cls, counts), torch.split(self.ins, counts)
        refined = [torch.split(part, counts) for part in self.refined]
        moves = [torch.split(part, counts) for part in self.moves]
        return [
            Answer(cls[i], ins[i], [part[i] for part in refined], [part[i] for part in moves])
            for i in range(len(counts))
        ]


class Adversary(nn.Module):
    """Concrete DropBlock: hides blocks of pooled features, and learns where it hurts.

    Parameters
    ----------
    channels : of the features.
    """

    def __init__(self, channels: int, settings: DropBlock):
        super().__init__()
        self.settings = settings
        self.conv = nn.Conv2d(channels, 1, 3, padding=1)

    def forward(self, cells: Tensor, noise: Tensor) -> Tensor:
        """(r, c, s, s) with blocks set to 0; noise : (r, s, s) uniform in (0, 1)."""
        keys = self.settings
        logits = self.conv(cells.detach())[:, 0]
        odds = centre_odds(logits, rate=keys.rate, block=keys.block)
        centres = concrete(odds, noise, temperature=keys.temperature)
        return hidden_blocks(cells, adversarial(kept_cells(centres, block=keys.block)))


class TagNetwork(TwoBranch):
    """A two-branch head, K refinement branches, and as many that move boxes.

    Parameters
    ----------
    settings : block of the method. classes : without the background.
    maps, strides, mixed : as `TwoBranch` has them.
    """

    def __init__(
        self,
        settings: TagHeads,
        classes: int,
        maps: nn.Module,
        strides: tuple[float, ...],
        *,
        mixed: bool = False,
    ):
        features = settings.features
        columns = classes + int(settings.background)
        super().__init__(features, {HEAD: columns}, maps, strides, mixed=mixed)
        branches, width = range(settings.branches), features.hidden
        self.refine = nn.ModuleList(_layer(width, classes + 1) for _ in branches)
        moving = branches if settings.regression else ()
        self.regress = nn.ModuleList(_layer(width, 4 * (classes + 1)) for _ in moving)
        dropped = settings.drop_block.enabled
        self.drop = Adversary(features.map_channels, settings.drop_block) if dropped else None

    def answers(
        self, pixels: Tensor, boxes: list[Tensor], noise: Tensor | None = None
    ) -> list[Answer]:
        """Logits of the boxes of each image, b tensors (r_i, 4).

        Parameters
        ----------
        noise : (sum r_i, s, s) uniform in (0, 1), for the adversary; None where nothing is hidden.
        """
        cells = self.cells(self.feature_maps(pixels), boxes)
        if self.drop is not None and noise is not None:
            cells = self.drop(cells, noise)
        counts = [len(b) for b in boxes]
        return self._answer(self.vectors_of(cells, counts)).split(counts)

    def _answer(self, vectors: Tensor) -> Answer:
        cls, ins = self.logits(HEAD, vectors)
        with self._precision(vectors):
            refined = [layer(vectors) for layer in self.refine]
            moves = [layer(vectors) for layer in self.regress]
        return Answer(cls, ins, [part.float() for part in refined], [m.float() for m in moves])


def _layer(width: int, columns: int) -> nn.Linear:
    layer = nn.Linear(width, columns)
    nn.init.normal_(layer.weight, std=STD)
    nn.init.zeros_(layer.bias)
    return layer


def open_tag_network(
    inputs: Inputs, settings: TagHeads, classes: int, *, precision: str = "float32"
) -> TagNetwork:
    """A fresh network for these inputs, on their device; precision as in `training.precision`."""
    maps, strides = inputs.maps(settings.features)
    mixed = precision == "bfloat16"
    network = TagNetwork(settings, classes, maps, strides, mixed=mixed)
    placed: TagNetwork = network.to(inputs.device)
    return placed
