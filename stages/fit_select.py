"""fit_select: train PSM on the bags of all shards, from points and classes alone.

In come proposals, weak labels and images; out go the network's weights and a log of its losses.
SAPNet, Sec. 3.2: two-branch multiple-instance learning, optionally with PDG in the loss. PSM is
trained by itself here; the paper trains it together with PRM and a segmentation branch.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from stages.files.atomic import write_text
from stages.files.parts import parts_folder, remove_parts
from stages.files.program import parser_of, run, say
from stages.files.provenance import provenance_of
from stages.learning.batches import Batch, Reader
from stages.learning.device import leased
from stages.learning.opening import (
    PACKAGES,
    add_arguments,
    category_ids,
    feature_facts,
    open_inputs,
    open_network,
    open_training_index,
    plain_settings,
)
from stages.learning.select_step import select_loss
from stages.learning.trainer import fit, optimizer_of, save_model, steps_of
from stages.settings.propose import Propose
from stages.settings.section import from_json
from stages.settings.select import Select


def main(argv: Sequence[str] | None) -> None:
    """Command line of the stage."""
    parser = parser_of(__doc__, "fit_select")
    add_arguments(parser, files=("out", "out-log"))
    args = parser.parse_args(argv)
    settings = from_json(Select, args.settings, "select")
    sam = from_json(Propose, args.sam, "propose")
    torch.set_num_threads(args.threads)
    facts = provenance_of(
        "stages.fit_select",
        settings=plain_settings(settings),
        seed=args.seed,
        packages=PACKAGES,
        **feature_facts(settings.features, sam),
    )
    index = open_training_index(args)
    folder = parts_folder(args.out, facts, index.image_ids, inputs=inputs_of(args))
    with leased(args.device) as device:
        log = _fit(args, index, settings, sam, device, folder, facts)
    write_text(args.out_log, log)
    remove_parts(folder)
    last = json.loads(log.splitlines()[-1])
    say(
        "fit_select",
        f"{index.tally(index.image_ids)}, {last['step']} steps, last loss {last['loss']:.4f}.",
    )


def inputs_of(args: Any) -> list[Path]:
    """The files whose content decides the weights."""
    return [args.images, args.weak_labels, args.categories, *args.proposals]


def _fit(
    args: Any,
    index: Any,
    settings: Select,
    sam: Propose,
    device: torch.device,
    folder: Path,
    facts: dict[str, Any],
) -> str:
    inputs = open_inputs(args.image_folder, settings.features, sam, device, folder / "features")
    torch.manual_seed(args.seed)
    classes = len(category_ids(args.categories)) + int(settings.background)
    network = open_network(settings.features, inputs, {"psm": classes})
    reader = Reader(index, inputs, settings.training, args.seed)

    def loss_of(batch: Batch) -> tuple[Tensor, dict[str, float]]:
        pixels, bags = reader.network_batch(batch)
        return select_loss(network, pixels, bags, settings)

    steps = steps_of(len(index.image_ids), settings.training)
    log = fit(
        network,
        reader,
        loss_of,
        name="fit_select",
        steps=steps,
        settings=settings.training,
        folder=folder,
        optimizer=optimizer_of(network, settings.training),
    )
    save_model(args.out, network, facts)
    return log


if __name__ == "__main__":
    run("fit_select", main)
