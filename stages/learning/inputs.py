"""What the network sees of an image: SAM's frozen embedding, or resized pixels.

Both know the factor from the image's own pixels to those of the network's input, in which all
geometry of PSM and PRM is measured (papers/SAPNet: "the resized input").
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from segment_anything.modeling import Sam
from torch import Tensor
from torch.nn import functional as F

from stages.learning.backbone import normalised
from stages.learning.two_branch import batched_pixels
from stages.photographs.reading import image_path, read_rgb
from stages.segmenters.embed import embedded, resized_pixels
from stages.settings.selectors.psm import Features


class Inputs(ABC):
    """Reads images of one folder for one kind of network."""

    def __init__(self, folder: Path, device: torch.device):
        self.folder, self.device = folder, device

    @abstractmethod
    def factor(self, size: tuple[float, float]) -> float:
        """Pixels of the network's input per pixel of an image of (height, width) px."""

    @abstractmethod
    def read(self, image_id: int, file_name: str, *, flip: bool) -> Tensor:
        """One image on the CPU, as far as a reading process can prepare it."""

    @abstractmethod
    def batch(self, images: Sequence[Tensor], keys: Sequence[tuple[int, bool]]) -> Tensor:
        """A batch on the device; keys are (image_id, flip)."""

    def pixels(self, file_name: str) -> np.ndarray:
        """The image as (height, width, 3) uint8."""
        return read_rgb(image_path(self.folder, file_name))


class PixelInputs(Inputs):
    """Resized, normalised pixels for a ResNet."""

    def __init__(self, folder: Path, device: torch.device, features: Features):
        super().__init__(folder, device)
        self.short, self.long = features.short_side, features.long_side

    def factor(self, size: tuple[float, float]) -> float:
        """Short side to `short_side`, but the long one to `long_side` at most."""
        return min(self.short / min(size), self.long / max(size))

    def read(self, image_id: int, file_name: str, *, flip: bool) -> Tensor:
        """(3, h, w) normalised pixels."""
        pixels = torch.from_numpy(np.array(self.pixels(file_name))).permute(2, 0, 1).float()
        scale = self.factor((pixels.shape[1], pixels.shape[2]))
        size = [max(1, round(side * scale)) for side in pixels.shape[1:]]
        small = F.interpolate(pixels[None], size=size, mode="bilinear", antialias=True)[0]
        return normalised(small.flip(2) if flip else small)

    def batch(self, images: Sequence[Tensor], keys: Sequence[tuple[int, bool]]) -> Tensor:
        """(b, 3, h, w)."""
        return batched_pixels(list(images)).to(self.device)


class SamInputs(Inputs):
    """Embeddings of a frozen SAM, kept on disk while a training lasts.

    Parameters
    ----------
    cache : folder for embeddings, or None: embed anew each time.
    """

    def __init__(self, folder: Path, device: torch.device, sam: Sam, cache: Path | None):
        super().__init__(folder, device)
        self.sam, self.cache = sam, cache
        self.side = int(sam.image_encoder.img_size)

    def factor(self, size: tuple[float, float]) -> float:
        """Long side to SAM's input side."""
        return self.side / max(size)

    def read(self, image_id: int, file_name: str, *, flip: bool) -> Tensor:
        """The embedding, where it is cached, else resized pixels: told apart by `batch`."""
        cached = _cached(self._path(image_id, flip))
        if cached is not None:
            return cached
        return resized_pixels(self.pixels(file_name), self.side, flip=flip)

    def batch(self, images: Sequence[Tensor], keys: Sequence[tuple[int, bool]]) -> Tensor:
        """(b, c, cells, cells)."""
        done = [self._embedding(image, *key) for image, key in zip(images, keys, strict=True)]
        return torch.stack(done).to(self.device)

    def _embedding(self, image: Tensor, image_id: int, flip: bool) -> Tensor:
        if image.shape[0] != 3:  # an embedding has many channels
            return image
        embedding = embedded(self.sam, image)
        path = self._path(image_id, flip)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_suffix(f".{os.getpid()}.tmp.npy")  # another may write it too
            np.save(temporary, embedding.cpu().numpy())  # not synced: it can be made again
            temporary.replace(path)
        return embedding

    def _path(self, image_id: int, flip: bool) -> Path | None:
        return self.cache / f"{image_id}{'-flipped' if flip else ''}.npy" if self.cache else None


def _cached(path: Path | None) -> Tensor | None:
    """An embedding from disk; None where there is none, or a crash has cut it short."""
    if path is None:
        return None
    try:
        return torch.from_numpy(np.load(path, allow_pickle=False))
    except (OSError, ValueError, EOFError):
        return None
