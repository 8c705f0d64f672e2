"""Training of SIM's teacher: what program fit_propose does once its flags are read.

SIM (Li et al., CVPR 2023), Sec. 3: a network learns from boxes and classes; in a later round it
learns from the pseudo masks of the round before as well. The teacher is the mean of the network's
weights over the last steps (EMA), which is what is written; the authors' code keeps it as a second
network with a start of its own, here it starts as the network does. Rounds take the place of the
authors' ramp of the pseudo masks' loss: they train one network all along, of which the first steps
see boxes alone, so a later round goes on from the teacher of the round before (`start`).
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from stages.learning.outcome import leave
from stages.learning.schedule import optimizer_of, steps_of
from stages.learning.sim_batches import TeacherBatch, TeacherReader
from stages.learning.sim_donors import nothing_to_paste
from stages.learning.sim_index import opened_objects
from stages.learning.sim_step import losses
from stages.learning.trainer import fit
from stages.runtime.device import leased
from stages.runtime.processes import joined
from stages.runtime.program import say
from stages.runtime.provenance import sha256_of
from stages.runtime.unfinished import parts_folder
from stages.segmenters.sim_network import Teacher, fitted_teacher, started_teacher
from stages.settings.propose import Propose
from stages.settings.segmenters.sim import Settings

PACKAGES = ("torch", "torchvision", "numpy", "opencv-python-headless")


def facts_of_fit(settings: Propose) -> dict[str, Any]:
    """Packages, and the checksum of the weights that the backbone starts from, for provenance."""
    path = settings.sim.checkpoint
    start = {"model_sha256": sha256_of(Path(path))} if path else {}
    return {"packages": PACKAGES, **start}


class Averaged(nn.Module):
    """The network that learns, and the mean of its weights, which is the teacher.

    Both are in the checkpoint, so that a training that was cut ends with the same teacher.
    """

    def __init__(self, settings: Settings, category_ids: Sequence[int], former: Path | None = None):
        """Parameter `former`: model file of the teacher to go on from."""
        super().__init__()
        self.student = started_teacher(settings, category_ids)
        if former:
            self.student.load_state_dict(former_teacher(former, settings, category_ids))
        self.teacher = Teacher(settings, category_ids).requires_grad_(False)
        self.teacher.load_state_dict(self.student.state_dict())
        self.keep = settings.training.ema

    @torch.no_grad()
    def average(self) -> None:
        """Move the teacher towards the student by a step; statistics of norms are copied.

        Source: SIM, Sec. 4.1 (momentum 0.9999); public code for what is copied.
        """
        for mean, weight in zip(self.teacher.parameters(), self.student.parameters(), strict=True):
            mean.lerp_(weight, 1 - self.keep)
        for kept, buffer in zip(self.teacher.buffers(), self.student.buffers(), strict=True):
            kept.copy_(buffer)


def former_teacher(
    path: Path, settings: Settings, category_ids: Sequence[int]
) -> Mapping[str, Tensor]:
    """Weights of the teacher of the round before.

    Raises
    ------
    ValueError : it is missing, or has another network or other classes.
    """
    teacher = fitted_teacher(path, settings)
    known = teacher.category_ids.tolist()
    if known != list(category_ids):
        raise ValueError(
            f"{path}: this teacher has classes {known}, but the labels have {list(category_ids)}. "
            "Rerun with -R fit_propose."
        )
    return teacher.state_dict()


@dataclass(frozen=True, slots=True)
class TeacherLearner:
    """The network on its device, and what it loses on a batch."""

    pair: Averaged
    settings: Settings
    device: torch.device

    def loss(self, batch: TeacherBatch) -> tuple[Tensor, dict[str, float]]:
        """The loss of a batch, with its parts, and how many masks were looked at."""
        mixed = self.settings.training.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=mixed):
            seen = self.pair.student(batch.pixels.to(self.device))
        parts, masks = losses(self.pair.student, seen, batch, self.settings)
        numbers = {name: part.item() for name, part in parts.items()}
        objects = sum(len(one.boxes) for one in batch.shown)
        counts = {"images": len(batch.shown), "objects": objects, "masks": masks}
        counts["pasted"] = sum(one.pasted for one in batch.shown)
        return torch.stack(list(parts.values())).sum(), {**counts, **numbers}

    def after(self, step: int, log: Sequence[str]) -> Mapping[str, float]:
        """Average, once a step is taken."""
        self.pair.average()
        return {}


def trained(args: argparse.Namespace, settings: Propose, facts: dict[str, Any]) -> None:
    """Train on all boxes, write the teacher and the log; goes on where it was cut.

    Parameters
    ----------
    args : of program fit_propose; `former`, files of table `pseudo_labels` of the round before, and
        `former_model`, its teacher, may be None or left out.
    facts : provenance, the model's header.

    Raises
    ------
    ValueError : there is nothing to learn from, or the loss is not finite.
    """
    block: Settings = settings.sim
    former = list(vars(args).get("former") or ())
    index = opened_objects(args.images, args.weak_labels, former)
    begun = vars(args).get("former_model") if block.training.start == "former" else None
    files = [args.images, args.weak_labels, *former, *([begun] if begun else [])]
    said = nothing_to_paste(index, block.training.paste)
    with joined(block.training.processes, args.device) as team:
        with team.leader_first():
            folder = parts_folder(args.out, facts, index.image_ids, inputs=files)
        if said and team.leads:
            say("fit_propose", said)
        reader = TeacherReader(index, args.image_folder, block, args.seed, team)
        with leased(args.device) as device:
            torch.manual_seed(args.seed)
            pair = Averaged(block, index.category_ids, begun).to(device)
            learner = TeacherLearner(pair, block, device)
            log = _fitted(learner, reader, folder, args.tensorboard)
        out = {"out": args.out, "out_log": args.out_log, "folder": folder}
        leave("fit_propose", pair.teacher, log, facts, **out, team=team, tally=index.tally())


def _fitted(
    learner: TeacherLearner, reader: TeacherReader, folder: Path, events: Path | None
) -> str:
    training = reader.training
    return fit(
        learner.pair,
        reader,
        learner.loss,
        name="fit_propose",
        steps=steps_of(len(reader.index.objects), training),
        settings=training,
        folder=folder,
        optimizer=optimizer_of(learner.pair, training),
        team=reader.team,
        after=learner.after,
        events=events,
    )
