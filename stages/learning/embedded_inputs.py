"""Embeddings of a frozen encoder as features, kept for all stages of a run.

They lie by the photograph's digest, in a folder that bears the digest of all else that decides
them; one that is missing or cut short is made again, with the same bytes.
"""

import io
import os
import zlib
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from stages.learning.adapter import Adapter
from stages.learning.inputs import Inputs, Key
from stages.learning.two_branch import batched_pixels
from stages.runtime.code import code_of
from stages.runtime.provenance import fingerprint
from stages.settings.selectors.psm import Features

CHECK = 4  # bytes of a CRC-32
DIGITS = 32  # of a photograph's digest, in the name of its embedding


class Looking(Protocol):
    """A frozen encoder. stride : px of its input per cell. channels : of the embedding."""

    stride: float
    channels: int

    def resized(self, image: np.ndarray, *, flip: bool) -> Tensor:
        """(height, width, 3) uint8 to (3, h, w) float32, mirrored or not, on the CPU."""


class EmbeddedInputs(Inputs):
    """Embeddings of a frozen encoder.

    Parameters
    ----------
    cache : folder for embeddings, or None: embed anew each time.
    """

    encoder: Looking

    def __init__(self, folder: Path, device: torch.device, cache: Path | None):
        super().__init__(folder, device)
        self.cache = cache

    @abstractmethod
    def looked(self, read: Tensor, image: Mapping[str, Any]) -> Tensor:
        """The embedding (c, h, w) of what `resized` made of an image, a row of table `images`."""

    def read(self, image: Mapping[str, Any], *, flip: bool) -> Tensor:
        """The embedding, where it is cached, else resized pixels: told apart by `batch`."""
        cached = kept(self._path(image, flip), self.encoder.channels)
        if cached is not None:
            return cached
        return self.encoder.resized(self.pixels(image), flip=flip)

    def batch(self, images: Sequence[Tensor], keys: Sequence[Key]) -> Tensor:
        """(b, c, h, w), padded to the right and below where shapes differ."""
        done = [self._embedding(image, *key) for image, key in zip(images, keys, strict=True)]
        return batched_pixels(done).to(self.device)

    def maps(self, features: Features) -> tuple[nn.Module, tuple[float, ...]]:
        """An adapter on the embedding."""
        return Adapter(self.encoder.channels, features.channels), (self.encoder.stride,)

    def _embedding(self, read: Tensor, image: Mapping[str, Any], flip: bool) -> Tensor:
        if read.shape[0] != 3:  # an embedding has many channels
            return read
        embedding = self.looked(read, image)
        path = self._path(image, flip)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_suffix(f".{os.getpid()}.tmp.npy")  # another may write it too
            temporary.write_bytes(packed(embedding))  # not synced: it can be made again
            temporary.replace(path)
        return embedding

    def _path(self, image: Mapping[str, Any], flip: bool) -> Path | None:
        if self.cache is None:
            return None
        digest = str(image["digest"])[:DIGITS]
        return self.cache / digest[:2] / f"{digest}{'-flipped' if flip else ''}.npy"


def cache_name(
    module: str, digest: str, packages: Iterable[str], device: torch.device, **more: Any
) -> str:
    """16 digits of all that decides an embedding beside the photograph.

    Parameters
    ----------
    module : that makes it; its code counts, how photographs are read too. digest : of the weights.
    packages : whose versions count. more : settings that count.
    """
    facts = {
        "code": code_of(module),
        "model_sha256": digest,
        "packages": {name: metadata.version(name) for name in ("pillow", *packages)},
        "device": [device.type, torch.get_num_threads()],  # the order of sums
        **more,
    }
    return fingerprint(facts)


def packed(embedding: Tensor) -> bytes:
    """An embedding as a file of numpy, and behind it the CRC-32 of all before."""
    buffer = io.BytesIO()
    np.save(buffer, embedding.cpu().numpy())
    data = buffer.getvalue()
    return data + zlib.crc32(data).to_bytes(CHECK, "big")


def kept(path: Path | None, channels: int) -> Tensor | None:
    """An embedding from disk; None where there is none, or none that can be looked through.

    Parameters
    ----------
    path : where it would lie; None: nothing is kept. channels : that it has.
    """
    if path is None:
        return None
    try:
        data = path.read_bytes()
        if zlib.crc32(data[:-CHECK]) != int.from_bytes(data[-CHECK:], "big"):
            return None  # a crash has cut it short, or a disk has a fault
        found = np.load(io.BytesIO(data), allow_pickle=False)
        if not isinstance(found, np.ndarray):
            return None  # many arrays in one
    except (OSError, ValueError, EOFError):
        return None
    is_sound = (
        found.ndim == 3 and len(found) == channels and np.issubdtype(found.dtype, np.floating)
    )
    return torch.from_numpy(found) if is_sound and np.isfinite(found).all() else None
