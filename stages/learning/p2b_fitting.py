"""Training of P2BNet from points alone: what program fit_prompt does once its flags are read.

Chen et al. (ECCV 2022). Images without a point teach nothing here, and of an object whose box is
given there is nothing to learn.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from stages.learning.arguments import category_ids
from stages.learning.batches import Reader, StepImages
from stages.learning.outcome import leave
from stages.learning.p2b_network import opened_network
from stages.learning.p2b_step import step_loss
from stages.learning.point_bags import POINT_COLUMNS, PointIndex
from stages.learning.schedule import optimizer_of, steps_of
from stages.learning.trainer import fit
from stages.learning.two_branch import TwoBranch
from stages.runtime.device import leased
from stages.runtime.processes import Team, joined
from stages.runtime.unfinished import parts_folder
from stages.settings.fit_prompt import FitPrompt
from stages.settings.propose import Propose
from stages.tables.images import IMAGES
from stages.tables.table import read_table
from stages.tables.weak_labels import WEAK_LABELS


def open_index(images: Path, weak_labels: Path, categories: Path) -> PointIndex:
    """The points of the tables.

    Raises
    ------
    ValueError : there is not one.
    """
    labels = read_table(weak_labels, WEAK_LABELS, columns=POINT_COLUMNS)
    index = PointIndex(read_table(images, IMAGES), labels, category_ids(categories))
    if not index.image_ids:
        raise ValueError(
            f"{weak_labels}: there are no points to learn boxes from. Set prepare.labels: point, "
            "which makes points of all labels, or take p2b out of prompt.sources."
        )
    return index


def trained(
    args: argparse.Namespace, settings: FitPrompt, propose: Propose, facts: dict[str, Any]
) -> None:
    """Train on all images with points, write model and log; goes on where an earlier run was cut.

    Parameters
    ----------
    facts : provenance, the model's header.

    Raises
    ------
    ValueError : there is nothing to learn from, or the loss is not finite.
    """
    index = open_index(args.images, args.weak_labels, args.categories)
    files = [args.images, args.weak_labels, args.categories]
    with joined(settings.p2b.training.processes, args.device) as team:
        with team.leader_first():
            folder = parts_folder(args.out, facts, index.image_ids, inputs=files)
        with leased(args.device) as device:
            network, log = _fitted(
                args, settings, propose, index, device=device, folder=folder, team=team
            )
        out = {"out": args.out, "out_log": args.out_log, "folder": folder}
        leave("fit_prompt", network, log, facts, **out, team=team, tally=index.tally())


def _fitted(
    args: argparse.Namespace,
    settings: FitPrompt,
    propose: Propose,
    index: PointIndex,
    *,
    device: torch.device,
    folder: Path,
    team: Team,
) -> tuple[TwoBranch, str]:
    network, inputs = opened_network(
        settings,
        propose,
        classes=len(index.order),
        folder=args.image_folder,
        device=device,
        cache=args.embeddings or folder / "features",  # of this training alone
        seed=args.seed,
    )
    training = settings.p2b.training
    reader = Reader(index, inputs, training, args.seed, team)
    log = fit(
        network,
        reader,
        _loss_of(network, reader, settings),
        name="fit_prompt",
        steps=steps_of(len(index.image_ids), training),
        settings=training,
        folder=folder,
        optimizer=optimizer_of(network, training),
        team=team,
        events=args.tensorboard,
    )
    return network, log


def _loss_of(
    network: TwoBranch, reader: Reader, settings: FitPrompt
) -> Callable[[StepImages], tuple[Tensor, dict[str, float]]]:
    def loss(batch: StepImages) -> tuple[Tensor, dict[str, float]]:
        known: dict[str, int] = {"seed": reader.seed, "step": batch.step}
        network.dropout.begin(batch.image_ids, **known, device=reader.inputs.device)
        pixels, bags = reader.network_batch(batch)
        return step_loss(network, pixels, bags, settings.p2b, **known)

    return loss
