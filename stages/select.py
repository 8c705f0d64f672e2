"""select: PSM scores every proposal and chooses one for each instance.

In come one shard of proposals and the trained network; out goes table `selections`, with S_cls,
S_ins, S_dis and the score that decided. SAPNet, Sec. 3.2, Eq. 3. Departures, each a config key:
S_dis may be applied here alone (`select.psm.pdg.apply: selection`), SAM's predicted IoU may
multiply the score (`select.psm.quality_exponent`; the paper has 0), and the choice may be made
without learning (`select.method`; `sam_top1` is the baseline of Tables 1 and 3), with no network at
all.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from stages.learning.bags import BagIndex, ImageBags
from stages.learning.batches import one_image
from stages.learning.inputs import Inputs
from stages.learning.opening import (
    PACKAGES,
    add_arguments,
    category_ids,
    feature_facts,
    fitted_network,
    image_ids_of,
    open_index,
    open_inputs,
    plain_settings,
)
from stages.learning.select_step import Selection, select_image
from stages.learning.two_branch import TwoBranch
from stages.mil.trivial import trivial_choices
from stages.runtime.device import leased
from stages.runtime.program import parser_of, run, say
from stages.runtime.progress import Progress
from stages.runtime.provenance import provenance_of, sha256_of
from stages.settings.propose import Propose
from stages.settings.section import from_json
from stages.settings.select import Select
from stages.tables.in_parts import write_in_parts
from stages.tables.proposals import PROPOSALS
from stages.tables.selections import SELECTIONS
from stages.tables.streams import shard_images
from stages.tables.table import empty_table, read_tables, rows_by_image, table_of

TRIVIAL_COLUMNS = (  # of table `proposals`: all that is looked at where nothing is learned
    *("image_id", "instance_id", "proposal_id", "area", "mask_index", "prompt_kind"),
    "sam_score",
)


def selection_rows(bags: ImageBags, selection: Selection) -> pa.Table:
    """Table `selections` of one image: a row per proposal, padding left out."""
    real = np.arange(bags.boxes.shape[1]) < bags.lengths.cpu().numpy()[:, None]  # (n, m)
    objects, slots = np.nonzero(real)
    chosen = selection.chosen.cpu().numpy()
    columns: dict[str, Any] = {
        "image_id": np.full(len(slots), bags.image_id),
        "instance_id": np.array(bags.instance_ids)[objects],
        "proposal_id": slots.astype(np.int32),
        "selected": slots == chosen[objects],
        "bag_score": selection.bag_score.cpu().numpy()[objects].clip(0, 1),
    }
    for name in ("score_cls", "score_ins", "score_dis", "score"):
        columns[name] = getattr(selection, name).cpu().numpy()[objects, slots]
    return table_of(SELECTIONS, columns)


class ImageSelector:
    """Rows of one image."""

    def __init__(self, network: TwoBranch, index: BagIndex, inputs: Inputs, settings: Select):
        self.network, self.index = network, index
        self.inputs, self.settings = inputs, settings

    def __call__(self, image_id: int) -> pa.Table:
        """Table `selections` of one image; empty for an image without proposals."""
        if image_id not in self.index.spans:
            return empty_table(SELECTIONS)
        pixels, bags = one_image(self.index, self.inputs, image_id)
        return selection_rows(bags, select_image(self.network, pixels, bags, self.settings))


class TrivialSelector:
    """Rows of one image where nothing is learned: SAM's own score stands in for PSM's."""

    def __init__(self, proposals: pa.Table, method: str):
        self.rows, self.method = rows_by_image(proposals), method

    def __call__(self, image_id: int) -> pa.Table:
        """Table `selections` of one image; empty for an image without proposals."""
        if image_id not in self.rows:
            return empty_table(SELECTIONS)
        rows = self.rows[image_id]
        instances = rows.column("instance_id").to_numpy()
        parts = [self._of_bag(rows.filter(instances == i)) for i in dict.fromkeys(instances)]
        return pa.concat_tables(parts).combine_chunks()

    def _of_bag(self, rows: pa.Table) -> pa.Table:
        quality = rows.column("sam_score").to_numpy().clip(0, 1)
        chosen = trivial_choices(
            area=rows.column("area").to_numpy(),
            slot=rows.column("mask_index").to_numpy(),
            is_point=np.array([kind == "point" for kind in rows.column("prompt_kind").to_pylist()]),
            sam_score=rows.column("sam_score").to_numpy(),
        ).get(self.method, 0)  # SAM gave fewer masks: the first
        same = {name: rows.column(name) for name in ("image_id", "instance_id", "proposal_id")}
        scores = {"score_cls": quality, "score_ins": np.full(len(rows), 1 / len(rows))}
        scores |= {"score_dis": np.ones(len(rows)), "score": quality}
        selected = np.arange(len(rows)) == chosen
        bag = {"selected": selected, "bag_score": np.full(len(rows), quality[chosen])}
        return table_of(SELECTIONS, {**same, **scores, **bag})


def open_selector(
    args: argparse.Namespace,
    index: BagIndex,
    settings: Select,
    sam: Propose,
    device: torch.device,
) -> Callable[[int], pa.Table]:
    """What makes the rows of an image."""
    if settings.method != "psm":
        proposals = read_tables(args.proposals, PROPOSALS, columns=TRIVIAL_COLUMNS)
        return TrivialSelector(proposals, settings.method)
    inputs = open_inputs(args.image_folder, settings.psm.features, sam, device, None)
    heads = {"psm": len(category_ids(args.categories)) + int(settings.psm.background)}
    network = fitted_network(args.model, settings.psm.features, inputs, heads)
    return ImageSelector(network, index, inputs, settings)


def facts_of(args: argparse.Namespace, settings: Select, sam: Propose) -> dict[str, Any]:
    """Provenance: of the network too, where there is one.

    Raises
    ------
    ValueError : PSM without a model.
    """
    network: dict[str, Any] = {}
    if settings.method == "psm":
        if args.model is None:
            raise ValueError("select: select.method psm needs --model, and none was given.")
        network = {"fitted": sha256_of(args.model), **feature_facts(settings.psm.features, sam)}
    return provenance_of(
        "stages.select",
        settings=plain_settings(settings),
        seed=args.seed,
        packages=PACKAGES,
        **network,
    )


def main(argv: Sequence[str] | None) -> None:
    """Command line of the stage."""
    parser = parser_of(__doc__, "select")
    add_arguments(parser, files=("out",))
    parser.add_argument("--model", type=Path, help="of fit_select; for select.method psm alone")
    parser.add_argument("--shard", required=True, help="such as 0003-of-0128")
    args = parser.parse_args(argv)
    settings = from_json(Select, args.settings, "select")
    sam = from_json(Propose, args.sam, "propose")
    torch.set_num_threads(args.threads)
    facts = facts_of(args, settings, sam)
    images = shard_images(args.images, args.shard)
    index, ids = open_index(args), image_ids_of(images)
    with leased(args.device) as device:
        table = write_in_parts(
            args.out,
            SELECTIONS,
            ids,
            open_selector(args, index, settings, sam, device),
            provenance=facts,
            chunk=settings.chunk,
            progress=Progress("select", len(ids)),
            inputs=(args.weak_labels, args.categories, *args.proposals),
        )
    chosen = sum(table.column("selected").to_pylist())
    say("select", f"{index.tally(ids)}, {chosen} chosen.")


if __name__ == "__main__":
    run("select", main)
