"""Training of BoxCaseg: what program fit_propose does once its flags are read.

BoxCaseg (CVPR 2021), Sec. 3: crops of boxes and salient images with masks go through one network;
the weak head learns from the lines of both, the other heads from the masks. SGD and a polynomial
fall of the rate as in the public code; what else may be chosen stands in the settings.
"""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from stages.box_supervision.joint_loss import foreground_share, pixel_loss, weak_parts
from stages.learning.crop_batches import CropBatch, CropReader
from stages.learning.crop_index import SalientSet, opened_crops
from stages.learning.outcome import leave
from stages.learning.schedule import optimizer_of
from stages.learning.trainer import fit
from stages.runtime.device import leased
from stages.runtime.processes import joined
from stages.runtime.provenance import sha256_of
from stages.runtime.unfinished import parts_folder
from stages.segmenters.crop_network import CropNetwork, started_network
from stages.settings.propose import Propose
from stages.settings.segmenters.boxcaseg import Settings

PACKAGES = ("torch", "torchvision", "numpy", "opencv-python-headless")


def facts_of_fit(settings: Propose) -> dict[str, Any]:
    """Packages, and the checksum of the weights that the backbone starts from, for provenance."""
    path = settings.boxcaseg.checkpoint
    start = {"model_sha256": sha256_of(Path(path))} if path else {}
    return {"packages": PACKAGES, **start}


@dataclass(frozen=True, slots=True)
class CropLearner:
    """The network on its device, and what it loses on a batch."""

    network: CropNetwork
    settings: Settings
    device: torch.device

    def loss(self, batch: CropBatch) -> tuple[Tensor, dict[str, float]]:
        """The joint loss of a batch, with its parts and the filled share of the boxes."""
        mixed = self.settings.training.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=mixed):
            found = self.network(batch.pixels.to(self.device))
        logits = {name: each.float() for name, each in found.items()}
        labels, salient = batch.labels.to(self.device), batch.salient.to(self.device)
        parts = self._parts(logits, labels, salient)
        numbers = {name: part.item() for name, part in parts.items()}
        shares = filled_shares(logits, labels, ~salient)
        return torch.stack(list(parts.values())).sum(), {
            "images": len(batch.pixels),
            **numbers,
            **shares,
        }

    def _parts(
        self, logits: Mapping[str, Tensor], labels: Tensor, salient: Tensor
    ) -> dict[str, Tensor]:
        training = self.settings.training
        parts = dict[str, Tensor]()
        if "weak" in logits:
            rule = {"weight": training.smooth_weight, "border": training.smooth_border}
            parts |= weak_parts(logits["weak"], labels, **rule)  # type: ignore[arg-type]
        if self.settings.heads != "weak_only":
            parts["pixel"] = pixel_loss(logits["mixed"], labels, salient)
        return parts


def filled_shares(logits: Mapping[str, Tensor], labels: Tensor, boxed: Tensor) -> dict[str, float]:
    """Share of their boxes that the weak head, and the mix, call the object; for the log.

    Parameters
    ----------
    logits : (n, h, w) each. labels : (n, h, w). boxed : (n,) bool, items that are boxes.
    """
    names = {"weak": "box_filled_weak", "mixed": "box_filled"}
    return {
        said: foreground_share(logits[name][boxed], labels[boxed])
        for name, said in names.items()
        if name in logits
    }


def trained(args: argparse.Namespace, settings: Propose, facts: dict[str, Any]) -> None:
    """Train on all boxes and salient images, write model and log; goes on where it was cut.

    Parameters
    ----------
    args : of program fit_propose; those that `salient_set` reads may be left out.
    facts : provenance, the model's header.

    Raises
    ------
    ValueError : there is nothing to learn from, or the loss is not finite.
    """
    block: Settings = settings.boxcaseg
    index = opened_crops(args.images, args.weak_labels, block, salient=salient_set(args))
    files = [args.images, args.weak_labels, *(path for pair in index.salient for path in pair)]
    with joined(block.training.processes, args.device) as team:
        with team.leader_first():
            folder = parts_folder(args.out, facts, [len(index.boxes)], inputs=files)
        reader = CropReader(index, args.image_folder, block, args.seed, team)
        with leased(args.device) as device:
            torch.manual_seed(args.seed)
            learner = CropLearner(started_network(block).to(device), block, device)
            log = _fitted(learner, reader, folder, args.tensorboard)
        out = {"out": args.out, "out_log": args.out_log, "folder": folder}
        network = learner.network
        leave("fit_propose", network, log, facts, **out, team=team, tally=index.tally())


def salient_set(args: argparse.Namespace) -> SalientSet | None:
    """What the flags say of salient images; None without `salient_images` and `salient_masks`.

    `salient_listed`, a path, and `salient_single`, a share, choose among them.
    """
    flags = vars(args)
    images, masks = flags.get("salient_images"), flags.get("salient_masks")
    if images is None or masks is None:
        return None
    return SalientSet(
        images, masks, flags.get("salient_listed"), flags.get("salient_single") or 0.0
    )


def _fitted(learner: CropLearner, reader: CropReader, folder: Path, events: Path | None) -> str:
    network, training = learner.network, reader.training
    return fit(
        network,
        reader,
        learner.loss,
        name="fit_propose",
        steps=reader.steps(),
        settings=training,
        folder=folder,
        optimizer=optimizer_of(network, training),
        team=reader.team,
        events=events,
    )
