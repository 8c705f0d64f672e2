"""A segmenter with mask features, as small as it gets: the mean colour of cells of 4 px.

It answers a box with an ellipse, sure in the middle alone. It stands behind the door in place of
one that learns, so that what reads a teacher is tested without training one.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from stages.runtime.provenance import sha256_of
from stages.segmenters.segmenter import Answered, Asked

PACKAGES = ("numpy",)
EMBEDDED: list[int] = []  # a number for each image that was looked at, for tests that count


def model_digest(settings: Any, model: Path) -> str:
    """Of the file, whatever it holds."""
    return sha256_of(model)


def opened_segmenter(settings: Any, *, device: torch.device, model: Path) -> "ColourTeacher":
    """The one segmenter."""
    return ColourTeacher()


def teacher_chances(box: Sequence[float], height: int, width: int) -> np.ndarray:
    """(height, width) float32: 1 in the middle of the box, 0.5 at the ellipse, 0 beyond it."""
    x0, y0, x1, y1 = box
    x = (np.arange(width) + 0.5 - (x0 + x1) / 2) / ((x1 - x0) / 2)
    y = (np.arange(height) + 0.5 - (y0 + y1) / 2) / ((y1 - y0) / 2)
    radius = np.hypot(y[:, None], x[None, :])
    return np.where(radius <= 1, 1 - radius / 2, 0).astype(np.float32)


class ColourTeacher:
    """Looks at one image after the other."""

    side, stride = 1, 4.0

    def __init__(self) -> None:
        self.pixels = np.zeros((1, 1, 3), dtype=np.uint8)

    def embed(self, pixels: np.ndarray) -> None:
        """Keep the image."""
        EMBEDDED.append(len(EMBEDDED))
        self.pixels = pixels

    def ask(
        self, prompts: Sequence[Asked], *, multimask: bool, logits: bool = False
    ) -> Iterator[Answered]:
        """An ellipse for each box."""
        for prompt in prompts:
            assert prompt.box is not None
            chances = teacher_chances(prompt.box.tolist(), *self.pixels.shape[:2])[None]
            one = np.ones(1, dtype=np.float32)
            raw = chances - 0.5 if logits else None
            yield Answered(raw, chances > 0.5, one, one, chances)

    def mask_features(self) -> np.ndarray:
        """(4, cells down, cells across) float32: colour about gray, and a constant."""
        height, width = self.pixels.shape[:2]
        down, across = -(-height // 4), -(-width // 4)
        more = (0, down * 4 - height, 0, across * 4 - width)
        whole = cv2.copyMakeBorder(self.pixels, *more, cv2.BORDER_REPLICATE).astype(np.float32)
        cells = cv2.resize(whole, (across, down), interpolation=cv2.INTER_AREA)
        constant = np.full((down, across, 1), 20, dtype=np.float32)
        return np.concatenate([cells - 128, constant], axis=2).transpose(2, 0, 1)
