"""Embeddings of a frozen SAM as features: cheap, since SAM is there anyway. Not in the paper.

They are kept for all stages of a run, by the photograph's digest, in a folder that bears the digest
of all else that decides them; one that is missing or cut short is made again, with the same bytes.
"""

import os
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from stages.learning.adapter import Adapter
from stages.learning.inputs import Inputs, Key
from stages.runtime.code import code_of
from stages.runtime.provenance import fingerprint
from stages.segmenters.embed import Encoder, opened_encoder
from stages.segmenters.sam import model_digest
from stages.settings.propose import Propose
from stages.settings.selectors.psm import Features

DIGITS = 32  # of a photograph's digest, in the name of its embedding
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
            f"select.psm.features.source: sam, but propose.segmenter is {propose.segmenter}, and "
            "both must be the same SAM. Choose resnet18 or resnet50, or set propose.segmenter: sam."
        )
    return {"model_sha256": model_digest(propose.sam)}


def opened_inputs(
    features: Features, propose: Propose, *, folder: Path, device: torch.device, cache: Path | None
) -> "SamInputs":
    """Inputs from SAM, kept below `cache` where `features.cache` says so."""
    encoder = opened_encoder(propose.sam, device)
    own = cache / _name(propose, device) if cache and features.cache else None
    return SamInputs(folder, device, encoder, own)


def _name(propose: Propose, device: torch.device) -> str:
    """16 digits of all that decides an embedding beside the photograph."""
    facts = {
        "code": code_of(__name__),  # how photographs are read, too
        "model_sha256": model_digest(propose.sam),
        "packages": {name: metadata.version(name) for name in ("pillow", *PACKAGES)},
        "device": [device.type, torch.get_num_threads()],  # the order of sums
    }
    return fingerprint(facts)


class SamInputs(Inputs):
    """Embeddings of a frozen SAM.

    Parameters
    ----------
    cache : folder for embeddings, or None: embed anew each time.
    """

    def __init__(self, folder: Path, device: torch.device, encoder: Encoder, cache: Path | None):
        super().__init__(folder, device)
        self.encoder, self.cache = encoder, cache

    def factor(self, size: tuple[float, float]) -> float:
        """Long side to SAM's input side."""
        return self.encoder.side / max(size)

    def read(self, image: Mapping[str, Any], *, flip: bool) -> Tensor:
        """The embedding, where it is cached, else resized pixels: told apart by `batch`."""
        cached = _cached(self._path(image, flip))
        if cached is not None:
            return cached
        return self.encoder.resized(self.pixels(image), flip=flip)

    def batch(self, images: Sequence[Tensor], keys: Sequence[Key]) -> Tensor:
        """(b, c, cells, cells)."""
        done = [self._embedding(image, *key) for image, key in zip(images, keys, strict=True)]
        return torch.stack(done).to(self.device)

    def maps(self, features: Features) -> tuple[nn.Module, tuple[float, ...]]:
        """An adapter on the embedding."""
        return Adapter(self.encoder.channels, features.channels), (self.encoder.stride,)

    def _embedding(self, read: Tensor, image: Mapping[str, Any], flip: bool) -> Tensor:
        if read.shape[0] != 3:  # an embedding has many channels
            return read
        embedding = self.encoder.embedded(read)
        path = self._path(image, flip)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_suffix(f".{os.getpid()}.tmp.npy")  # another may write it too
            np.save(temporary, embedding.cpu().numpy())  # not synced: it can be made again
            temporary.replace(path)
        return embedding

    def _path(self, image: Mapping[str, Any], flip: bool) -> Path | None:
        if self.cache is None:
            return None
        digest = str(image["digest"])[:DIGITS]
        return self.cache / digest[:2] / f"{digest}{'-flipped' if flip else ''}.npy"


def _cached(path: Path | None) -> Tensor | None:
    """An embedding from disk; None where there is none, or a crash has cut it short."""
    if path is None:
        return None
    try:
        return torch.from_numpy(np.load(path, allow_pickle=False))
    except (OSError, ValueError, EOFError):
        return None
