"""fit_select: train PSM on the bags of all shards, from points and classes alone.

In come proposals, weak labels and images; out go the network's weights and a log of its losses.
SAPNet, Sec. 3.2: two-branch multiple-instance learning, optionally with PDG in the loss. PSM is
trained by itself, or, with `refine.prm.fit: joint`, together with PRM (Sec. 3.4): the weights then
hold both, and fit_refine has nothing to do. The segmentation branch that the paper trains beside
them is a stage of its own here.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from stages.learning.bags import BagIndex
from stages.learning.batches import Batch, Reader
from stages.learning.joint_step import joint_loss
from stages.learning.opening import (
    PACKAGES,
    add_arguments,
    category_ids,
    feature_facts,
    fit_settings,
    open_inputs,
    open_network,
    open_training_index,
)
from stages.learning.outcome import leave
from stages.learning.refine_step import rngs_of
from stages.learning.schedule import optimizer_of, steps_of
from stages.learning.select_step import select_loss
from stages.learning.trainer import fit
from stages.learning.two_branch import TwoBranch
from stages.runtime.device import leased
from stages.runtime.processes import Team, joined
from stages.runtime.program import parser_of, run
from stages.runtime.provenance import provenance_of
from stages.runtime.unfinished import parts_folder
from stages.settings.propose import Propose
from stages.settings.refine import Refine
from stages.settings.section import from_json
from stages.settings.select import Select


def main(argv: Sequence[str] | None) -> None:
    """Command line of the stage."""
    parser = parser_of(__doc__, "fit_select")
    add_arguments(parser, files=("out", "out-log"))
    parser.add_argument(
        "--refine-settings", help="JSON of the section `refine`, for refine.prm.fit"
    )
    args = parser.parse_args(argv)
    settings = from_json(Select, args.settings, "select")
    refine = joint_part(args.refine_settings)
    sam = from_json(Propose, args.sam, "propose")
    torch.set_num_threads(args.threads)
    facts = facts_of(args, settings, refine, sam)
    index = open_training_index(args)
    with joined(settings.psm.training.processes, args.device) as team:
        with team.leader_first():
            folder = parts_folder(args.out, facts, index.image_ids, inputs=inputs_of(args))
        with leased(args.device) as device:
            network, log = _fit(args, index, settings, refine, sam, device, folder, team)
        out = {"out": args.out, "out_log": args.out_log, "folder": folder}
        tally = index.tally(index.image_ids)
        leave("fit_select", network, log, facts, **out, team=team, tally=tally)


def joint_part(text: str | None) -> Refine | None:
    """Settings of PRM where it is trained here, with PSM; None where it is not."""
    settings = from_json(Refine, text, "refine") if text else Refine()
    return settings if settings.prm.fit == "joint" and settings.method == "prm" else None


def facts_of(
    args: argparse.Namespace, settings: Select, refine: Refine | None, sam: Propose
) -> dict[str, Any]:
    """Provenance: of PRM's settings too, where it is trained here."""
    plain = fit_settings(settings, joint=refine is not None)
    return provenance_of(
        "stages.fit_select",
        settings={"select": plain, "refine": fit_settings(refine)} if refine else plain,
        seed=args.seed,
        packages=PACKAGES,
        **feature_facts(settings.psm.features, sam),
    )


def inputs_of(args: argparse.Namespace) -> list[Path]:
    """The files whose content decides the weights."""
    return [args.images, args.weak_labels, args.categories, *args.proposals]


def _fit(
    args: argparse.Namespace,
    index: BagIndex,
    settings: Select,
    refine: Refine | None,
    sam: Propose,
    device: torch.device,
    folder: Path,
    team: Team,
) -> tuple[TwoBranch, str]:
    inputs = open_inputs(args.image_folder, settings.psm.features, sam, device, folder / "features")
    torch.manual_seed(args.seed)
    classes, training = len(category_ids(args.categories)), settings.psm.training
    heads = {"psm": classes + int(settings.psm.background)} | ({"prm": classes} if refine else {})
    network = open_network(settings.psm.features, inputs, heads, precision=training.precision)
    reader = Reader(index, inputs, training, args.seed, team)
    log = fit(
        network,
        reader,
        loss_of(network, reader, settings, refine),
        name="fit_select",
        steps=steps_of(len(index.image_ids), training),
        settings=training,
        folder=folder,
        optimizer=optimizer_of(network, training),
        team=team,
    )
    return network, log


def loss_of(
    network: TwoBranch, reader: Reader, settings: Select, refine: Refine | None
) -> Callable[[Batch], tuple[Tensor, dict[str, float]]]:
    """The loss of a batch: PSM's, or that of PSM and PRM."""

    def loss(batch: Batch) -> tuple[Tensor, dict[str, float]]:
        pixels, bags = reader.network_batch(batch)
        if refine is None:
            return select_loss(network, pixels, bags, settings)
        rng_of = rngs_of(reader.seed, batch.step, batch.image_ids)
        return joint_loss(network, pixels, bags, refine, settings, rng_of=rng_of)

    return loss


if __name__ == "__main__":
    run("fit_select", main)
