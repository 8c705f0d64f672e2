"""refine: PRM's box of each instance, mined by BMS, and the SAM mask closest to it.

In come one shard of proposals and selections, and the trained network; out goes table
`refinements`. SAPNet, Sec. 3.4 and 3.5: the exported mask is always one of SAM's. With
`refine.method: none` select's choice is the answer, and no network is asked (Table 4, first rows).
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch

from stages.files.parts import write_in_parts
from stages.files.program import Progress, parser_of, run, say
from stages.files.provenance import provenance_of, sha256_of
from stages.files.records import (
    IMAGES,
    PROPOSALS,
    REFINEMENTS,
    empty_table,
    images_of_shard,
    read_table,
)
from stages.learning.bags import BagIndex, ImageBags
from stages.learning.batches import one_image
from stages.learning.device import leased
from stages.learning.inputs import Inputs
from stages.learning.opening import (
    PACKAGES,
    add_arguments,
    add_choice_arguments,
    category_ids,
    feature_facts,
    fitted_network,
    image_ids_of,
    open_index,
    open_inputs,
    plain_settings,
)
from stages.learning.refine_step import Refinement, refine_image, unrefined
from stages.learning.two_branch import TwoBranch
from stages.mil.bms import RULES
from stages.settings.propose import Propose
from stages.settings.refine import Refine
from stages.settings.section import from_json
from stages.settings.select import Select


def refinement_rows(bags: ImageBags, answer: Refinement, factor: float, rles: pa.Table) -> pa.Table:
    """Table `refinements` of one image.

    Parameters
    ----------
    answer : in px of the network's input. factor : its pixels per pixel of the image.
    rles : the image's proposals with masks, rows as in the bags.
    """
    starts = [0, *bags.lengths.cumsum(0).tolist()]
    counts = rles.column("rle").to_pylist()
    height, width = (int(side) for side in bags.size)
    boxes = {
        name: (getattr(answer, name).cpu() / factor).tolist()
        for name in ("box_psm", "box_select", "box_prm")
    }
    rows = []
    for i, instance in enumerate(bags.instance_ids):
        assert bags.bag_scores is not None
        chosen = int(answer.chosen[i])
        row: dict[str, Any] = {"image_id": bags.image_id, "instance_id": instance}
        row |= {name: values[i] for name, values in boxes.items()}
        row |= {"bms_rule": RULES[int(answer.rules[i])], "proposal_id": chosen}
        row |= {"proposal_id_select": int(answer.chosen_select[i])}
        row |= {"rle": counts[starts[i] + chosen], "height": height, "width": width}
        row |= {"score": float(answer.score[i]), "bag_score": float(bags.bag_scores[i])}
        row |= {"extra_rles": [counts[starts[i] + slot] for slot in answer.extra[i]]}
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=REFINEMENTS.schema)


class ImageRefiner:
    """Rows of one image."""

    def __init__(
        self,
        network: TwoBranch,
        index: BagIndex,
        inputs: Inputs,
        settings: Refine,
        select: Select,
        proposals: Path,
    ):
        self.network, self.index, self.inputs = network, index, inputs
        self.settings, self.select, self.proposals = settings, select, proposals

    def __call__(self, image_id: int) -> pa.Table:
        """Table `refinements` of one image; empty for an image without proposals."""
        if image_id not in self.index.spans:
            return empty_table(REFINEMENTS)
        pixels, bags = one_image(self.index, self.inputs, image_id)
        answer = refine_image(self.network, pixels, bags, self.settings, self.select)
        own = self.index.bags(image_id)
        rles = masks_of(self.proposals, image_id)
        return refinement_rows(own, answer, self.inputs.factor(own.size), rles)


class Unrefined:
    """Rows of one image whose pseudo-labels are select's choices."""

    def __init__(self, index: BagIndex, settings: Refine, proposals: Path):
        self.index, self.settings, self.proposals = index, settings, proposals

    def __call__(self, image_id: int) -> pa.Table:
        """Table `refinements` of one image; empty for an image without proposals."""
        if image_id not in self.index.spans:
            return empty_table(REFINEMENTS)
        bags = self.index.bags(image_id)
        rles = masks_of(self.proposals, image_id)
        return refinement_rows(bags, unrefined(bags, self.settings), 1.0, rles)


def masks_of(proposals: Path, image_id: int) -> pa.Table:
    """The masks of one image's proposals, rows as in its bags."""
    columns = ("image_id", "instance_id", "proposal_id", "rle")
    return read_table(proposals, PROPOSALS, columns=columns, image_id=image_id)


def open_refiner(
    args: argparse.Namespace,
    index: BagIndex,
    settings: Refine,
    select: Select,
    sam: Propose,
    device: torch.device,
) -> Callable[[int], pa.Table]:
    """What makes the rows of an image."""
    if settings.method == "none":
        return Unrefined(index, settings, args.proposals[0])
    inputs = open_inputs(args.image_folder, select.features, sam, device, None)
    heads = {"prm": len(category_ids(args.categories))}
    network = fitted_network(args.model, select.features, inputs, heads)
    return ImageRefiner(network, index, inputs, settings, select, args.proposals[0])


def facts_of(
    args: argparse.Namespace, settings: Refine, select: Select, sam: Propose
) -> dict[str, Any]:
    """Provenance: of the network too, where there is one.

    Raises
    ------
    ValueError : PRM without a model.
    """
    network: dict[str, Any] = {}
    if settings.method == "prm":
        if args.model is None:
            raise ValueError("refine: refine.method prm needs --model, and none was given.")
        network = {"fitted": sha256_of(args.model), **feature_facts(select.features, sam)}
    return provenance_of(
        "stages.refine",
        settings={"refine": plain_settings(settings), "select": plain_settings(select)},
        seed=args.seed,
        packages=PACKAGES,
        **network,
    )


def main(argv: Sequence[str] | None) -> None:
    """Command line of the stage."""
    parser = parser_of(__doc__, "refine")
    add_arguments(parser, files=("out",))
    add_choice_arguments(parser)
    parser.add_argument("--model", type=Path, help="that holds PRM; for refine.method prm alone")
    parser.add_argument("--shard", required=True, help="such as 0003-of-0128")
    args = parser.parse_args(argv)
    settings = from_json(Refine, args.settings, "refine")
    select = from_json(Select, args.select_settings, "select")
    sam = from_json(Propose, args.sam, "propose")
    torch.set_num_threads(args.threads)
    facts = facts_of(args, settings, select, sam)
    images = images_of_shard(read_table(args.images, IMAGES), int(args.shard.split("-")[0]))
    index, ids = open_index(args), image_ids_of(images)
    with leased(args.device) as device:
        table = write_in_parts(
            args.out,
            REFINEMENTS,
            ids,
            open_refiner(args, index, settings, select, sam, device),
            provenance=facts,
            chunk=settings.chunk,
            progress=Progress("refine", len(ids)),
            inputs=(args.weak_labels, args.categories, *args.proposals, *args.selections),
        )
    rules = table.column("bms_rule").to_pylist()
    counts = ", ".join(f"{rules.count(rule)} {rule}" for rule in RULES)
    say("refine", f"{index.tally(ids)}, {len(rules)} refined; BMS rules: {counts}.")


if __name__ == "__main__":
    run("refine", main)
