"""refine: PRM's box of each instance, mined by BMS, and the SAM mask closest to it.

In come one shard of proposals and selections, and the trained network; out goes table
`refinements`. SAPNet, Sec. 3.4 and 3.5: the exported mask is always one of SAM's. With
`refine.method: as_it_is` select's choice is the answer, and no network is asked (Table 4, first
rows). Departures, each a config key: the bag may vote for the mask (`refine.vote`), and SAM may be
asked again about the refined box (`refine.zoom`).
"""

import argparse
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch
from segment_anything.modeling import Sam

from stages.geometry.masks import Rle, rle_of
from stages.learning.bags import BagIndex, ImageBags
from stages.learning.batches import one_image
from stages.learning.inputs import SamInputs
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
from stages.learning.pseudo_masks import PseudoMask, pseudo_masks
from stages.learning.refine_step import Refinement, refine_image, unrefined
from stages.mil.bms import RULES
from stages.photographs.reading import image_path, read_rgb
from stages.runtime.device import leased
from stages.runtime.program import parser_of, run, say
from stages.runtime.progress import Progress
from stages.runtime.provenance import provenance_of, sha256_of
from stages.segmenters.sam_loading import checked_sha256, load_sam
from stages.segmenters.zoom import Zoom
from stages.settings.propose import Propose
from stages.settings.refine import Refine
from stages.settings.section import from_json
from stages.settings.select import Select
from stages.tables.in_parts import write_in_parts
from stages.tables.proposals import PROPOSALS
from stages.tables.refinements import REFINEMENTS
from stages.tables.streams import shard_images
from stages.tables.table import empty_table, read_table


def refinement_rows(
    bags: ImageBags,
    answer: Refinement,
    factor: float,
    rles: list[list[Rle]],
    masks: list[PseudoMask],
) -> pa.Table:
    """Table `refinements` of one image.

    Parameters
    ----------
    answer : in px of the network's input. factor : its pixels per pixel of the image.
    rles : per object the masks of its bag. masks : the pseudo-label of each object.
    """
    assert bags.bag_scores is not None
    boxes = {
        name: (getattr(answer, name).cpu() / factor).tolist()
        for name in ("box_psm", "box_select", "box_prm")
    }
    height, width = (int(side) for side in bags.size)
    rows = []
    for i, (instance, mask) in enumerate(zip(bags.instance_ids, masks, strict=True)):
        row: dict[str, Any] = {"image_id": bags.image_id, "instance_id": instance}
        row |= {name: values[i] for name, values in boxes.items()}
        row |= {"bms_rule": RULES[int(answer.rules[i])], "proposal_id": int(answer.chosen[i])}
        row |= {"proposal_id_select": int(answer.chosen_select[i])}
        row |= {"mask_source": mask.source, "rle": mask.rle["counts"]}
        row |= {"height": height, "width": width}
        row |= {"score": float(answer.score[i]), "bag_score": float(bags.bag_scores[i])}
        row |= {"extra_rles": [rles[i][slot]["counts"] for slot in answer.extra[i]]}
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=REFINEMENTS.schema)


Answer = Callable[[int, ImageBags], tuple[Refinement, float]]


class ImageRefiner:
    """Rows of one image.

    Parameters
    ----------
    answer : image id and its bags to what is chosen, and the pixels of its grid per pixel.
    """

    def __init__(
        self,
        answer: Answer,
        index: BagIndex,
        settings: Refine,
        zoom: Zoom | None,
        *,
        folder: Path,
        proposals: Path,
    ):
        self.answer, self.index, self.settings, self.zoom = answer, index, settings, zoom
        self.folder, self.proposals = folder, proposals

    def __call__(self, image_id: int) -> pa.Table:
        """Table `refinements` of one image; empty for an image without proposals."""
        if image_id not in self.index.spans:
            return empty_table(REFINEMENTS)
        bags = self.index.bags(image_id)
        answer, factor = self.answer(image_id, bags)
        rles = self._masks(bags)
        masks = pseudo_masks(
            bags,
            answer,
            rles,
            self.settings,
            factor=factor,
            zoom=self.zoom,
            pixels=lambda: read_rgb(image_path(self.folder, self.index.file_name(image_id))),
        )
        return refinement_rows(bags, answer, factor, rles, masks)

    def _masks(self, bags: ImageBags) -> list[list[Rle]]:
        """Per object the masks of its bag."""
        columns = ("image_id", "instance_id", "proposal_id", "rle")
        rows = read_table(self.proposals, PROPOSALS, columns=columns, image_id=bags.image_id)
        size = (int(bags.size[0]), int(bags.size[1]))
        rles = iter([rle_of(counts, *size) for counts in rows.column("rle").to_pylist()])
        return [list(itertools.islice(rles, int(length))) for length in bags.lengths]


def open_refiner(
    args: argparse.Namespace,
    index: BagIndex,
    settings: Refine,
    select: Select,
    sam: Propose,
    device: torch.device,
) -> Callable[[int], pa.Table]:
    """What makes the rows of an image."""
    answer, encoder = _answerer(args, index, settings, select, sam, device)
    zoom = None
    if settings.zoom.enabled:
        encoder = encoder or load_sam(
            sam.sam.model, Path(sam.sam.checkpoint), sam.sam.sha256, device
        )
        zoom = Zoom(encoder, window=settings.zoom.window, margin=settings.zoom.margin)
    return ImageRefiner(
        answer, index, settings, zoom, folder=args.image_folder, proposals=args.proposals[0]
    )


def _answerer(
    args: argparse.Namespace,
    index: BagIndex,
    settings: Refine,
    select: Select,
    sam: Propose,
    device: torch.device,
) -> tuple[Answer, Sam | None]:
    """Who chooses, and the SAM that is open for it, if any."""
    if settings.method == "as_it_is":
        return lambda image_id, bags: (unrefined(bags, settings), 1.0), None
    inputs = open_inputs(args.image_folder, select.psm.features, sam, device, None)
    heads = {"prm": len(category_ids(args.categories))}
    network = fitted_network(args.model, select.psm.features, inputs, heads)

    def answer(image_id: int, bags: ImageBags) -> tuple[Refinement, float]:
        pixels, scaled = one_image(index, inputs, image_id)
        found = refine_image(network, pixels, scaled, settings, select)
        return found, inputs.factor(bags.size)

    return answer, inputs.sam if isinstance(inputs, SamInputs) else None


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
        network = {"fitted": sha256_of(args.model), **feature_facts(select.psm.features, sam)}
    if settings.zoom.enabled:
        network["zoom_sha256"] = checked_sha256(Path(sam.sam.checkpoint), sam.sam.sha256)
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
    images = shard_images(args.images, args.shard)
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
