"""Clues of a ViT with a token per class: the paper's, from its maps and its attention.

WeakSAM, Sec. 3.1, after WeakTr: a 3x3 convolution on the patch tokens gives coarse maps, attention
fused over heads and layers makes fine maps of them, and attention from class tokens to patches, of
each head and layer, tells instances apart. Three multilabel soft-margin losses, of the class
tokens, of the convolution and, where the fusion has weights, of the fine maps; the last one moves
these weights alone. Departures: images are made squares for training and may lose a part
(erasing), but there is no RandAugment; photographs that are looked at are scaled to `short_side`.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stages.learning.backbone import MEAN, STD
from stages.learning.clue_networks import Looks
from stages.learning.deit_weights import checked_weights, load_deit
from stages.learning.erasing import erased
from stages.learning.inputs import Key
from stages.learning.map_sizes import SummedMaps
from stages.learning.pixel_inputs import PixelScale, scaled
from stages.learning.vit import ClassTokenVit, Seen, kept_branches
from stages.mil import clue_maps
from stages.photographs.reading import photograph
from stages.settings.clue_networks.vit import Settings
from stages.settings.fit_prompt import FitPrompt
from stages.settings.propose import Propose

PACKAGES = ("torch", "numpy", "scipy")


def modules_of(fit: FitPrompt, propose: Propose) -> tuple[str, ...]:
    """None: the settings choose nothing that is another module."""
    return ()


def facts_of_network(fit: FitPrompt, propose: Propose, *, fresh: bool) -> dict[str, Any]:
    """Checksum of the weights that the training starts from, where a file is named.

    Raises
    ------
    ValueError : the file is missing or another one.
    """
    facts: dict[str, Any] = {"packages": PACKAGES}
    if fresh and fit.vit.weights:
        digest = checked_weights(Path(fit.vit.weights), fit.vit.weights_sha256)
        facts["model_sha256"] = digest
    return facts


def opened_learner(
    fit: FitPrompt,
    propose: Propose,
    *,
    classes: int,
    folder: Path,
    device: torch.device,
    cache: Path | None,
    fresh: bool,
) -> "VitClues":
    """The network on `device`; a fresh one starts from its weight file, where one is named."""
    network = ClueVit(fit.vit, classes)
    if fresh and fit.vit.weights:
        load_deit(network.vit, Path(fit.vit.weights), fit.vit.weights_sha256)
    return VitClues(network.to(device), fit.vit, folder, device)


class ClueVit(nn.Module):
    """Transformer, convolution head, and the weights of the fusion."""

    def __init__(self, settings: Settings, classes: int):
        super().__init__()
        self.classes = classes
        self.vit = ClassTokenVit(
            classes,
            depth=settings.depth,
            dim=settings.dim,
            heads=settings.heads,
            patch=settings.patch,
            cells=settings.side // settings.patch,
        )
        self.head = nn.Conv2d(settings.dim, classes, 3, padding=1)
        many = settings.depth * settings.heads
        inner = max(1, many // clue_maps.REDUCTION)
        self.fusion = nn.ModuleList()
        if settings.fusion == "aaf":
            self.fusion.append(nn.Linear(many, inner, bias=False))
            self.fusion.append(nn.Linear(inner, many, bias=False))

    def fine(self, seen: Seen, coarse: Tensor) -> Tensor:
        """CAM_fine, of which the weights of the fusion alone learn: (b, classes, rows, columns)."""
        mean = clue_maps.mean_attention(seen.attention, self._weights(seen.attention))
        cross = clue_maps.cross_attention(mean, seen.grid, self.classes)
        patches = clue_maps.patch_attention(mean, self.classes)
        return clue_maps.fine_map(coarse.detach(), cross, patches)

    def _weights(self, attention: Tensor) -> Tensor:
        if not len(self.fusion):
            return clue_maps.uniform_weights(attention)
        squeeze, excite = (layer.weight for layer in self.fusion)
        assert isinstance(squeeze, Tensor)
        assert isinstance(excite, Tensor)
        return clue_maps.adaptive_weights(attention, squeeze, excite)


class VitClues:
    """A transformer that learns from tags, and the maps that it makes."""

    def __init__(self, network: ClueVit, settings: Settings, folder: Path, device: torch.device):
        self.network: ClueVit = network
        self.settings, self.folder, self.device = settings, folder, device
        self.mixed = settings.training.precision == "bfloat16"

    def read(self, image: Mapping[str, Any], *, flip: bool, rng: np.random.Generator) -> Tensor:
        """(3, side, side) normalised pixels, with a part erased by chance."""
        pixels = torch.from_numpy(np.array(photograph(self.folder, image))).permute(2, 0, 1)
        size = (self.settings.side, self.settings.side)
        small = F.interpolate(pixels[None].float(), size=size, mode="bilinear", antialias=True)[0]
        small = normalised(small.flip(2) if flip else small)
        return erased(small, rng) if rng.random() < self.settings.erase else small

    def loss(
        self, images: Sequence[Tensor], keys: Sequence[Key], tags: Tensor, rng: np.random.Generator
    ) -> tuple[Tensor, dict[str, float]]:
        """The sum of the losses of class tokens, coarse and fine maps; see the file's head."""
        pixels, tags = torch.stack(list(images)).to(self.device), tags.to(self.device)
        chances = rng.random((self.settings.depth, 2, len(pixels)), dtype=np.float32)
        kept = kept_branches(self.settings.drop_path, torch.from_numpy(chances)).to(self.device)
        seen, coarse = self._looked(pixels, kept)
        told = {"loss_tokens": token_logits(seen), "loss_coarse": coarse.mean(dim=(2, 3))}
        if len(self.network.fusion):
            fine = self.network.fine(seen, clue_maps.coarse_map(coarse))
            told["loss_fine"] = fine.mean(dim=(2, 3))
        losses = {name: F.multilabel_soft_margin_loss(x, tags) for name, x in told.items()}
        numbers = {name: loss.item() for name, loss in losses.items()}
        return torch.stack(list(losses.values())).sum(), {"images": len(images), **numbers}

    @torch.no_grad()
    def maps(
        self, image: Mapping[str, Any], columns: Sequence[int], looks: Looks
    ) -> dict[str, SummedMaps]:
        """The maps that are wanted: see `stages.learning.clue_networks`.

        Raises
        ------
        ValueError : attention is wanted of a block that is not there.
        """
        layers = self._layers(looks)
        views: dict[str, list[tuple[Tensor, bool]]] = {name: [] for name in looks.names}
        for seen, coarse, flip in self._views(image, looks):
            cells = self._cells(seen, coarse, columns, layers, looks.names)
            for name, own in cells.items():
                views[name].append((own, flip))
        size = (image["height"], image["width"])
        return {name: SummedMaps(own, size) for name, own in views.items()}

    @torch.no_grad()
    def tag_logits(self, image: Mapping[str, Any]) -> Tensor:
        """(classes,) means of the class tokens, of the image and its mirror image."""
        views = self._views(image, Looks(flip=True))
        return torch.stack([token_logits(seen)[0] for seen, _, _ in views]).mean(dim=0).cpu()

    def _views(self, image: Mapping[str, Any], looks: Looks) -> Iterator[tuple[Seen, Tensor, bool]]:
        """What is seen of one image, and the coarse logits, at each scale, mirrored or not."""
        pixels = photograph(self.folder, image)
        for scale in looks.scales:
            short, long = (
                round(s * scale) for s in (self.settings.short_side, self.settings.long_side)
            )
            small = normalised(scaled(pixels, PixelScale(short, long)))
            small = at_least(small, self.settings.patch).to(self.device)
            for flip in (False, True) if looks.flip else (False,):
                seen, coarse = self._looked((small.flip(2) if flip else small)[None])
                yield seen, coarse, flip

    def _looked(self, pixels: Tensor, kept: Tensor | None = None) -> tuple[Seen, Tensor]:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.mixed):
            seen = self.network.vit(pixels, kept)
            coarse: Tensor = self.network.head(seen.patches)
        return Seen(
            seen.classes.float(), seen.patches.float(), seen.attention.float()
        ), coarse.float()

    def _cells(
        self,
        seen: Seen,
        coarse: Tensor,
        columns: Sequence[int],
        layers: Sequence[int],
        names: Sequence[str],
    ) -> dict[str, Tensor]:
        """Maps of one image in cells, (m, rows, columns) each."""
        chosen, heads = list(columns), self.settings.heads
        found = {"coarse": clue_maps.coarse_map(coarse)[0, chosen]}
        if "fine" in names:
            found["fine"] = self.network.fine(seen, clue_maps.coarse_map(coarse))[0, chosen]
        if "cross" in names:
            own = [head for k in layers for head in range(k * heads, (k + 1) * heads)]
            raw = seen.attention[0, own]  # (layers * heads, t, t)
            cross = clue_maps.cross_attention(raw, seen.grid, self.network.classes)[:, chosen]
            found["cross"] = cross.flatten(0, 1)
        return {name: found[name] for name in names}

    def _layers(self, looks: Looks) -> Sequence[int]:
        depth = self.settings.depth
        layers = range(depth) if looks.layers is None else looks.layers
        if max(layers, default=0) >= depth:
            raise ValueError(
                f"prompt.sources: cross_layers has {max(layers)}, but fit_prompt.vit has {depth} "
                "blocks, counted from 0. Set lower ones, or null for all."
            )
        return layers


def token_logits(seen: Seen) -> Tensor:
    """Each class by the mean over its token: (b, classes)."""
    return seen.classes.mean(dim=2)


def normalised(pixels: Tensor) -> Tensor:
    """(3, h, w) pixels of 0 to 255 to zero mean and unit deviation, as DeiT takes them."""
    mean, std = (torch.tensor(value, device=pixels.device)[:, None, None] for value in (MEAN, STD))
    return (pixels - mean) / std


def at_least(pixels: Tensor, patch: int) -> Tensor:
    """(3, h, w) with no side under that of a patch: a very long image is padded."""
    height, width = pixels.shape[1:]
    return F.pad(pixels, (0, max(0, patch - width), 0, max(0, patch - height)))
