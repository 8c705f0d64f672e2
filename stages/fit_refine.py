"""fit_refine: train PRM on enlarged bags and negatives, guided by what select chose.

In come proposals, selections, weak labels and images; out go the network's weights and a log of its
losses. SAPNet, Sec. 3.3 and 3.4. PRM is trained after PSM and starts from its shared layers
(`refine.start: select`); the paper trains both together.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
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
    add_choice_arguments,
    category_ids,
    feature_facts,
    open_inputs,
    open_network,
    open_training_index,
    plain_settings,
)
from stages.learning.refine_step import NEGATIVE_PURPOSE, refine_loss
from stages.learning.trainer import fit, load_model, optimizer_of, save_model, steps_of
from stages.learning.two_branch import TwoBranch
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
        settings={"refine": plain_settings(settings), "select": plain_settings(select)},
        seed=args.seed,
        packages=PACKAGES,
        **feature_facts(select.features, sam),
    )
    index = open_training_index(args)
    files = [args.images, args.weak_labels, args.categories, args.select_model]
    files += [*args.proposals, *args.selections]
    folder = parts_folder(args.out, facts, index.image_ids, inputs=files)
    with leased(args.device) as device:
        inputs = open_inputs(args.image_folder, select.features, sam, device, folder / "features")
        torch.manual_seed(args.seed)
        classes = len(category_ids(args.categories))
        network = open_network(select.features, inputs, {"prm": classes})
        if settings.start == "select":
            start_from(network, args.select_model)
        reader = Reader(index, inputs, settings.training, args.seed)
        log = _fit(network, reader, settings, select, folder)
        save_model(args.out, network, facts)
    write_text(args.out_log, log)
    remove_parts(folder)
    last = json.loads(log.splitlines()[-1])
    say(
        "fit_refine",
        f"{index.tally(index.image_ids)}, {last['step']} steps, last loss {last['loss']:.4f}.",
    )


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
        rng_of = {
            i: np.random.default_rng([reader.seed, NEGATIVE_PURPOSE, batch.step, i])
            for i in batch.image_ids
        }
        return refine_loss(network, pixels, bags, settings, select, rng_of=rng_of)

    return fit(
        network,
        reader,
        loss_of,
        name="fit_refine",
        steps=steps_of(len(reader.index.image_ids), settings.training),
        settings=settings.training,
        folder=folder,
        optimizer=optimizer_of(network, settings.training),
    )


if __name__ == "__main__":
    run("fit_refine", main)
