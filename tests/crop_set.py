"""Drawn shapes with boxes, and drawn salient images with masks, for tests of BoxCaseg.

The boxes are about diamonds, which fill half of them; the salient images show ellipses. Both have
the colours of objects in common, so that what is learned from one helps with the other.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from stages.partworld.dataset import write_png
from stages.photographs.reading import digest_of
from stages.settings.propose import Propose
from stages.settings.section import from_values
from stages.tables.images import IMAGES
from stages.tables.table import rows_table, write_table
from stages.tables.weak_labels import WEAK_LABELS

SIDE = 96  # px of an image
SMALL: dict[str, Any] = {  # block propose.boxcaseg that trains in seconds
    "backbone": "small",
    "channels": 8,
    "size": 48,
    "training": {
        "optimizer": "adamw",
        "lr": 0.003,
        "size": 48,
        "size_salient": 56,
        "epochs": 2,
        "batch_images": 8,
        "norm_momentum": 0.1,
        "checkpoint_every": 2,
    },
}


@dataclass(frozen=True)
class CropSet:
    """Paths of a drawn set, and its true masks by label_id."""

    folder: Path
    truth: dict[int, np.ndarray]

    def args(self, out: Path, *, salient: bool = True, seed: int = 0) -> argparse.Namespace:
        """What program fit_propose has read from its flags."""
        shown = self.folder / "salient"
        return argparse.Namespace(
            images=self.folder / "images.parquet",
            weak_labels=self.folder / "weak_labels.parquet",
            image_folder=self.folder,
            salient_images=shown / "images" if salient else None,
            salient_masks=shown / "masks" if salient else None,
            seed=seed,
            device="cpu",
            tensorboard=None,
            out=out,
            out_log=out.with_suffix(".jsonl"),
        )


def propose(block: dict[str, Any]) -> Propose:
    """Section `propose` with this block `boxcaseg`."""
    return from_values(Propose, {"segmenter": "boxcaseg", "boxcaseg": block}, "propose")


def log_of(path: Path) -> list[dict[str, float]]:
    """The lines of a training's log."""
    return [json.loads(line) for line in path.with_suffix(".jsonl").read_text().splitlines()]


def build_crop_set(
    folder: Path, *, images: int = 6, salient: int = 7, kind: str = "box", noise: float = 25.0
) -> CropSet:
    """Draw into `folder`; noise: of the pixels, of 255."""
    rng = np.random.default_rng(9)
    truth = dict[int, np.ndarray]()
    labels: list[dict[str, Any]] = []
    for image_id in range(1, images + 1):
        pixels, mask, box = drawn(rng, diamond=True, noise=noise)
        write_png(folder / f"{image_id}.png", pixels)
        truth[image_id] = mask
        labels.append(_label(image_id, box, kind))
    for part in ("images", "masks"):
        (folder / "salient" / part).mkdir(parents=True)
    for number in range(salient):
        pixels, mask, _ = drawn(rng, diamond=False)
        write_png(folder / "salient" / "images" / f"{number:03d}.png", pixels)
        path = folder / "salient" / "masks" / f"{number:03d}.png"
        cv2.imwrite(str(path), mask.astype(np.uint8) * 255)
    write_table(folder / "images.parquet", rows_table(IMAGES, _rows(folder, images)), IMAGES, {})
    weak = rows_table(WEAK_LABELS, labels)
    write_table(folder / "weak_labels.parquet", weak, WEAK_LABELS, {})
    return CropSet(folder, truth)


def drawn(
    rng: np.random.Generator, *, diamond: bool, noise: float = 25.0
) -> tuple[np.ndarray, np.ndarray, list[float]]:
    """Pixels, mask and tight box of one shape on noise."""
    half = rng.integers(14, 30, 2)
    centre = rng.integers(32, SIDE - 32, 2)
    y, x = np.abs(np.mgrid[:SIDE, :SIDE] + 0.5 - centre[:, None, None]) / half[:, None, None]
    mask = x + y <= 1 if diamond else x**2 + y**2 <= 1
    pixels = rng.normal(80, noise, (SIDE, SIDE, 3))
    pixels[mask] += np.array([110, 40, -30]) + rng.normal(0, 10, 3)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    box = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
    return pixels.clip(0, 255).astype(np.uint8), mask, [float(value) for value in box]


def _label(image_id: int, box: list[float], kind: str) -> dict[str, Any]:
    ids = {"image_id": image_id, "label_id": image_id, "instance_id": image_id}
    given: dict[str, Any] = {"box": box} if kind == "box" else {"x": box[0], "y": box[1]}
    return {**ids, "bag_id": image_id, "category_id": 1, "kind": kind, "status": "given", **given}


def _rows(folder: Path, images: int) -> list[dict[str, Any]]:
    return [
        {
            "image_id": number,
            "file_name": f"{number}.png",
            "height": SIDE,
            "width": SIDE,
            "shard": 0,
            "orientation": 1,
            "digest": digest_of((folder / f"{number}.png").read_bytes()),
        }
        for number in range(1, images + 1)
    ]
