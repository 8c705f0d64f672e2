"""Embeddings of a frozen SAM as features: cheap, since SAM is there anyway. Not in the paper."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from stages.learning.embedded_inputs import EmbeddedInputs, cache_name
from stages.segmenters.embed import Encoder, opened_encoder
from stages.segmenters.sam import model_digest
from stages.settings.propose import Propose
from stages.settings.selectors.psm import Features

PACKAGES = ("torch", "torchvision", "segment-anything-py", "numpy")


def facts_of_features(features: Features, propose: Propose) -> dict[str, Any]:
    """Checksum of SAM's weights.

    Raises
    ------
    ValueError : the file is missing or another one, or another segmenter is asked, so that the keys
        of `propose.sam` do not get here.
    """
    if propose.segmenter != "sam":
        raise ValueError(
            f"features.source: sam, but propose.segmenter is {propose.segmenter}, and "
            "both must be the same SAM. Choose resnet18, resnet50 or vgg16, or set "
            "propose.segmenter: sam."
        )
    return {"model_sha256": model_digest(propose.sam)}


def opened_inputs(
    features: Features, propose: Propose, *, folder: Path, device: torch.device, cache: Path | None
) -> "SamInputs":
    """Inputs from SAM, kept below `cache` where `features.cache` says so."""
    encoder = opened_encoder(propose.sam, device)
    if cache is None or not features.cache:
        return SamInputs(folder, device, encoder, None)
    of_encoder = {key: getattr(propose.sam, key) for key in ("precision", "attention", "compile")}
    name = cache_name(__name__, model_digest(propose.sam), PACKAGES, device, **of_encoder)
    return SamInputs(folder, device, encoder, cache / name)


class SamInputs(EmbeddedInputs):
    """Embeddings of a frozen SAM.

    Parameters
    ----------
    cache : folder for embeddings, or None: embed anew each time.
    """

    def __init__(self, folder: Path, device: torch.device, encoder: Encoder, cache: Path | None):
        super().__init__(folder, device, cache)
        self.encoder: Encoder = encoder

    def factor(self, size: tuple[float, float]) -> float:
        """Long side to SAM's input side."""
        return self.encoder.side / max(size)

    def looked(self, read: Tensor, image: Mapping[str, Any]) -> Tensor:
        """(c, cells, cells)."""
        return self.encoder.embedded(read)
