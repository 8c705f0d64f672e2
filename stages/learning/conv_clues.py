"""Clues of convolutions on a frozen map: cheap, since the segmenter's map is there anyway.

WeakTr's convolution head and its loss (global average pooling, multilabel soft margin), on features
that are not trained; not in the paper. The average goes over the cells of the image alone: SAM's
embedding is square whatever the image is. There are coarse maps alone, and no other scale of the
image than the one that the encoder takes; the mirrored image is looked at where that is wanted.
"""

from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stages.learning.arguments import feature_modules
from stages.learning.clue_networks import Looks
from stages.learning.embedded_inputs import EmbeddedInputs
from stages.learning.inputs import Inputs, Key
from stages.learning.map_sizes import to_image
from stages.learning.opening import feature_facts, open_inputs
from stages.mil.clue_maps import coarse_map, normalised_maps
from stages.settings.clue_networks.conv import Settings
from stages.settings.fit_prompt import FitPrompt
from stages.settings.propose import Propose

PACKAGES = ("torch", "numpy", "scipy")


def modules_of(fit: FitPrompt, propose: Propose) -> tuple[str, ...]:
    """The modules that make the frozen map."""
    return feature_modules(fit.conv.features, propose)


def facts_of_network(fit: FitPrompt, propose: Propose, *, fresh: bool) -> dict[str, Any]:
    """Checksum of the frozen encoder; raises ValueError where a file is missing or another one."""
    facts = feature_facts(fit.conv.features, propose)
    return {**facts, "packages": sorted({*PACKAGES, *facts["packages"]})}


def opened_learner(
    fit: FitPrompt,
    propose: Propose,
    *,
    classes: int,
    folder: Path,
    device: torch.device,
    cache: Path | None,
    fresh: bool,
) -> "ConvClues":
    """The network on `device`, looking through a frozen map that is kept below `cache`."""
    features = fit.conv.features
    inputs = open_inputs(features, propose, folder=folder, device=device, cache=cache)
    return ConvClues(inputs, fit.conv, classes)


class ConvHead(nn.Module):
    """Class logits of each cell: (b, c, h, w) to (b, classes, h, w).

    With BatchNorm: GroupNorm, which the other heads have, makes every image's activations alike,
    and took three times the epochs to learn as much.
    """

    def __init__(self, channels_in: int, settings: Settings, classes: int):
        super().__init__()
        width, layers = settings.features.channels, list[nn.Module]()
        for number in range(settings.layers):
            wide = width if number else channels_in
            layers += [_conv(wide, width, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
        last = _conv(width if layers else channels_in, classes, bias=True)
        self.layers = nn.Sequential(*layers, last)

    def forward(self, embedding: Tensor) -> Tensor:
        """Logits; not cut at 0."""
        logits: Tensor = self.layers(embedding)
        return logits


def _conv(wide: int, width: int, *, bias: bool) -> nn.Conv2d:
    return nn.Conv2d(wide, width, 3, padding=1, bias=bias)


class ConvClues:
    """A head that learns from tags, and the maps that it makes."""

    def __init__(self, inputs: Inputs, settings: Settings, classes: int):
        assert isinstance(inputs, EmbeddedInputs)  # the settings have frozen sources alone
        self.inputs = inputs
        self.mixed = settings.training.precision == "bfloat16"
        head = ConvHead(inputs.encoder.channels, settings, classes)
        self.network: nn.Module = head.to(inputs.device)

    def read(self, image: Mapping[str, Any], *, flip: bool, rng: np.random.Generator) -> Tensor:
        """The embedding, or pixels that become one; nothing is changed at random."""
        return self.inputs.read(image, flip=flip)

    def loss(
        self, images: Sequence[Tensor], keys: Sequence[Key], tags: Tensor, rng: np.random.Generator
    ) -> tuple[Tensor, dict[str, float]]:
        """Multilabel soft margin of the mean logits of each image."""
        grids = [self._grid(image) for image, _ in keys]
        logits = cell_means(self._logits(images, keys), grids)
        loss = F.multilabel_soft_margin_loss(logits, tags.to(logits.device))
        return loss, {"images": len(keys)}

    @torch.no_grad()
    def maps(
        self, image: Mapping[str, Any], columns: Sequence[int], looks: Looks
    ) -> dict[str, np.ndarray]:
        """Coarse maps: see `stages.learning.clue_networks`."""
        chosen = torch.tensor(columns, device=self.inputs.device)
        total = sum(
            to_image(coarse_map(cells[chosen]), _size(image), flip=flip, cell=self._cell(image))
            for cells, flip in self._looked(image, flip=looks.flip)
        )
        assert isinstance(total, Tensor)
        return {"coarse": normalised_maps(total).cpu().numpy()}

    @torch.no_grad()
    def tag_logits(self, image: Mapping[str, Any]) -> Tensor:
        """(classes,) mean logits of the image and its mirror image."""
        both = [cells.mean(dim=(1, 2)) for cells, _ in self._looked(image, flip=True)]
        return torch.stack(both).mean(dim=0).cpu()

    def _looked(self, image: Mapping[str, Any], *, flip: bool) -> list[tuple[Tensor, bool]]:
        """Logits (classes, rows, columns) of the image's own cells, mirrored or not."""
        rows, columns = self._grid(image)
        found = []
        for mirrored in (False, True) if flip else (False,):
            read = self.inputs.read(image, flip=mirrored)
            cells = self._logits([read], [(image, mirrored)])[0, :, :rows, :columns]
            found.append((cells, mirrored))
        return found

    def _logits(self, images: Sequence[Tensor], keys: Sequence[Key]) -> Tensor:
        batch = self.inputs.batch(images, keys)
        with torch.autocast(batch.device.type, torch.bfloat16, enabled=self.mixed):
            logits: Tensor = self.network(batch)
        return logits.float()

    def _cell(self, image: Mapping[str, Any]) -> float:
        """Px of the image per cell of the map."""
        return self.inputs.encoder.stride / self.inputs.factor(_size(image))

    def _grid(self, image: Mapping[str, Any]) -> tuple[int, int]:
        """Rows and columns of cells that hold any of the image."""
        cell = self._cell(image) * (1 + 1e-6)  # a whole number of cells stays one
        return ceil(image["height"] / cell), ceil(image["width"] / cell)


def cell_means(logits: Tensor, grids: Sequence[tuple[int, int]]) -> Tensor:
    """Mean logits of each image over its own cells.

    Parameters
    ----------
    logits : (b, classes, h, w), padded to the right and below. grids : rows and columns of each.

    Returns
    -------
    (b, classes).
    """
    pairs = zip(logits, grids, strict=True)
    return torch.stack(
        [cells[:, :rows, :columns].mean(dim=(1, 2)) for cells, (rows, columns) in pairs]
    )


def _size(image: Mapping[str, Any]) -> tuple[int, int]:
    return image["height"], image["width"]
