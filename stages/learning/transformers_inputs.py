"""Embeddings of models of `transformers` as features: of the segmenter, or of a backbone by itself.

`select.psm.features.path` tells the two apart: null is the model that `propose.transformers` asks,
a folder is an image backbone, whoever the segmenter is. Both are frozen, and not in the paper.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from stages.learning.embedded_inputs import EmbeddedInputs, cache_name
from stages.learning.pixel_inputs import PixelScale
from stages.learning.pretrained_backbone import KEY, BackboneEncoder, opened_backbone
from stages.segmenters.transformers import model_digest
from stages.segmenters.transformers_embed import PromptableEncoder
from stages.segmenters.transformers_loading import (
    PACKAGES,
    checked_digest,
    folder_of,
    load_promptable,
)
from stages.settings.propose import Propose
from stages.settings.selectors.psm import Features

__all__ = ["PACKAGES"]


def facts_of_features(features: Features, propose: Propose) -> dict[str, Any]:
    """Digest of the folder.

    Raises
    ------
    ValueError : as `checked_digest`; or no folder is named and another segmenter is asked, so that
        the keys of `propose.transformers` do not get here.
    """
    return {"model_sha256": _digest(features, propose)}


def opened_inputs(
    features: Features, propose: Propose, *, folder: Path, device: torch.device, cache: Path | None
) -> EmbeddedInputs:
    """Inputs from the segmenter or a backbone, kept below `cache` where the settings say so."""
    digest, more = _digest(features, propose), dict[str, Any]()
    if features.path:
        more = {"short_side": features.short_side, "long_side": features.long_side}
    name = cache_name(__name__, digest, PACKAGES, device, **more)
    kept = cache / name if cache and features.cache else None
    if not features.path:
        loaded = load_promptable(propose.transformers.path, device)
        return PromptableInputs(folder, device, PromptableEncoder(loaded), kept)
    scale = PixelScale(features.short_side, features.long_side)
    backbone = opened_backbone(folder_of(features.path, KEY), scale, device)
    return BackboneInputs(folder, device, backbone, kept)


def _digest(features: Features, propose: Propose) -> str:
    if features.path:
        return checked_digest(features.path, KEY)
    if propose.segmenter != "transformers":
        raise ValueError(
            f"features.source: transformers, but propose.segmenter is "
            f"{propose.segmenter}, and {KEY} is null. Name a folder with an image backbone there, "
            "or set propose.segmenter: transformers."
        )
    return model_digest(propose.transformers)


class PromptableInputs(EmbeddedInputs):
    """Embeddings of the segmenter."""

    def __init__(
        self, folder: Path, device: torch.device, encoder: PromptableEncoder, cache: Path | None
    ):
        super().__init__(folder, device, cache)
        self.encoder: PromptableEncoder = encoder

    def factor(self, size: tuple[float, float]) -> float:
        """Long side to the model's input side."""
        return self.encoder.side / max(size)

    def looked(self, read: Tensor, image: Mapping[str, Any]) -> Tensor:
        """(c, cells, cells)."""
        return self.encoder.embedded(read, (image["height"], image["width"]))


class BackboneInputs(EmbeddedInputs):
    """Feature maps of a frozen backbone."""

    def __init__(
        self, folder: Path, device: torch.device, encoder: BackboneEncoder, cache: Path | None
    ):
        super().__init__(folder, device, cache)
        self.encoder: BackboneEncoder = encoder

    def factor(self, size: tuple[float, float]) -> float:
        """Short side to `short_side`, but the long one to `long_side` at most."""
        return self.encoder.scale.factor(size)

    def looked(self, read: Tensor, image: Mapping[str, Any]) -> Tensor:
        """(c, h, w)."""
        return self.encoder.embedded(read)
