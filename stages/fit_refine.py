"""fit_refine: train PRM on enlarged bags and negatives, guided by what select chose.

In come proposals, selections, weak labels and images; out go the network's weights and a log of its
losses. SAPNet, Sec. 3.3 and 3.4. PRM is trained after PSM and starts from its shared layers
(`refine.prm.start: select`); the paper trains both together, which fit_select does with
`refine.prm.fit: joint`.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from stages.learning.batches import Batch, Reader
from stages.learning.inputs import Inputs
from stages.learning.opening import (
    PACKAGES,
    add_arguments,
    add_choice_arguments,
    category_ids,
    feature_facts,
    fit_settings,
    open_inputs,
    open_network,
    open_training_index,
    plain_settings,
)
from stages.learning.outcome import leave
from stages.learning.refine_step import refine_loss, rngs_of
from stages.learning.schedule import optimizer_of, steps_of
from stages.learning.trainer import fit, load_model
from stages.learning.two_branch import TwoBranch
from stages.runtime.device import leased
from stages.runtime.processes import joined
from stages.runtime.program import parser_of, run
from stages.runtime.provenance import provenance_of
from stages.runtime.unfinished import parts_folder
from stages.settings.propose import Propose
from stages.settings.refine import Refine
from stages.settings.section import from_json
from stages.settings.select import Select


def main(argv: Sequence[str] | None) -> None:
    """Command line of the stage."""
    parser = parser_of(__doc__, "fit_refine")
    add_arguments(parser, files=("select-model", "out", "out-log"))
    add_choice_arguments(parser)
    args = parser.parse_args(argv)
    settings = from_json(Refine, args.settings, "refine")
    select = from_json(Select, args.select_settings, "select")
    sam = from_json(Propose, args.sam, "propose")
    torch.set_num_threads(args.threads)
    facts = provenance_of(
        "stages.fit_refine",
        settings={"refine": fit_settings(settings), "select": plain_settings(select)},
        seed=args.seed,
        packages=PACKAGES,
        **feature_facts(select.psm.features, sam),
    )
    index = open_training_index(args)
    files = [args.images, args.weak_labels, args.categories, args.select_model]
    files += [*args.proposals, *args.selections]
    with joined(settings.prm.training.processes, args.device) as team:
        with team.leader_first():
            folder = parts_folder(args.out, facts, index.image_ids, inputs=files)
        with leased(args.device) as device:
            cache = folder / "features"
            inputs = open_inputs(args.image_folder, select.psm.features, sam, device, cache)
            network = _network(args, inputs, settings, select)
            reader = Reader(index, inputs, settings.prm.training, args.seed, team)
            log = _fit(network, reader, settings, select, folder)
        out = {"out": args.out, "out_log": args.out_log, "folder": folder}
        tally = index.tally(index.image_ids)
        leave("fit_refine", network, log, facts, **out, team=team, tally=tally)


def _network(
    args: argparse.Namespace, inputs: Inputs, settings: Refine, select: Select
) -> TwoBranch:
    torch.manual_seed(args.seed)
    heads, precision = {"prm": len(category_ids(args.categories))}, settings.prm.training.precision
    network = open_network(select.psm.features, inputs, heads, precision=precision)
    if settings.prm.start == "select":
        start_from(network, args.select_model)
    return network


def start_from(network: TwoBranch, select_model: Path) -> None:
    """Copy the shared layers of PSM's network.

    Raises
    ------
    ValueError : they are of another shape.
    """
    state, _ = load_model(select_model)
    shared = {key: value for key, value in state.items() if not key.startswith("heads.")}
    if {k: v.shape for k, v in shared.items()} != {k: v.shape for k, v in network.shared().items()}:
        raise ValueError(f"{select_model}: made with other features. Rerun with -R fit_select.")
    network.load_state_dict(shared, strict=False)


def _fit(network: TwoBranch, reader: Reader, settings: Refine, select: Select, folder: Path) -> str:
    def loss_of(batch: Batch) -> tuple[Tensor, dict[str, float]]:
        pixels, bags = reader.network_batch(batch)
        rng_of = rngs_of(reader.seed, batch.step, batch.image_ids)
        return refine_loss(network, pixels, bags, settings, select, rng_of=rng_of)

    return fit(
        network,
        reader,
        loss_of,
        name="fit_refine",
        steps=steps_of(len(reader.index.image_ids), settings.prm.training),
        settings=settings.prm.training,
        folder=folder,
        optimizer=optimizer_of(network, settings.prm.training),
        team=reader.team,
    )


if __name__ == "__main__":
    run("fit_refine", main)
