"""Drawn shapes with boxes, and settings of SIM's teacher that train in seconds."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stages.geometry.masks import masks_to_rles
from stages.segmenters.sim_network import Teacher
from stages.settings.overrides import laid_over
from stages.settings.propose import Propose
from stages.settings.section import from_values
from stages.settings.segmenters.sim import Settings
from stages.tables.pseudo_labels import PSEUDO_LABELS
from tests.crop_set import CropSet
from tests.sound_rows import pseudo_label_row, write_rows

SMALL: dict[str, Any] = {  # block propose.sim
    "backbone": "small",
    "stride": 4,
    "channels": 64,
    "head_convs": 1,
    "mask_channels": 16,
    "mask_convs": 1,
    "size": 64,
    "long_side": 128,
    "training": {
        "optimizer": "adamw",
        "lr": 0.003,
        "warmup": 0,
        "sizes": 64,
        "epochs": 2,
        "batch_images": 4,
        "positives": 8,
        "pairwise_warmup": 4,
        "invalid_bottom": 0,
        "ema": 0.5,
        "checkpoint_every": 2,
    },
}


def propose(changes: dict[str, Any] | None = None) -> Propose:
    """Section `propose` with the block SMALL, changed."""
    block = laid_over(SMALL, changes or {})
    return from_values(Propose, {"segmenter": "sim", "sim": block}, "propose")


def settings_of(**changes: Any) -> Settings:
    """Block `propose.sim`, SMALL with changes."""
    return propose(changes).sim


def started(classes: Sequence[int] = (1, 7), **changes: Any) -> Teacher:
    """A network of random weights, always the same."""
    torch.manual_seed(0)
    return Teacher(settings_of(**changes), classes)


def save(teacher: Teacher, path: Path) -> Path:
    """A model file of it."""
    torch.save({"state": teacher.state_dict(), "header": "{}"}, path)
    return path


def args_of(
    drawn: CropSet,
    out: Path,
    *,
    former: Path | None = None,
    former_model: Path | None = None,
    seed: int = 0,
) -> Any:
    """What program fit_propose has read from its flags."""
    args = drawn.args(out, salient=False, seed=seed)
    before = {"former": [former] if former else None, "former_model": former_model}
    return argparse.Namespace(**vars(args), **before)


def write_former(drawn: CropSet, path: Path, **changes: Any) -> Path:
    """Pseudo labels that are the true masks, a row for each object."""
    rows = []
    for number, mask in drawn.truth.items():
        size = {"height": mask.shape[0], "width": mask.shape[1]}
        rle = masks_to_rles(mask[None].astype(np.uint8))[0]["counts"]
        box = [0.0, 0, mask.shape[1], mask.shape[0]]
        rows.append(pseudo_label_row(number, number, rle=rle, box=box, **size, **changes))
    return write_rows(path, PSEUDO_LABELS, rows)
