"""What stage `refine` opens its refiner with, out of its arguments."""

import argparse
from pathlib import Path

from stages.learning.arguments import category_ids
from stages.methods.kit import Former, Kit
from stages.methods.refiner import REFINERS
from stages.runtime.device import Device
from stages.segmenters.answers_kept import Kept
from stages.segmenters.box_asking import KeptBoxes, box_facts
from stages.segmenters.on_demand import OnDemand
from stages.segmenters.zoom import KeptZoom, zoom_facts
from stages.settings.propose import Propose
from stages.settings.readers import asks_with_boxes
from stages.settings.refine import Refine
from stages.settings.section import from_json, to_values
from stages.settings.select import Select
from stages.tables.boxed import BOXED
from stages.tables.zoomed import ZOOMED

FORMER = {  # what a refiner may read of the round before
    "labels": "its shard of table pseudo_labels",
    "predictions": "its detector's shard of table predictions",
    "scores": "its detector's shard of table label_scores",
}


def kit_of(args: argparse.Namespace, device: Device) -> tuple[Kit, Refine]:
    """What the refiner is opened with, and the section `refine` in it.

    Parameters
    ----------
    device : leases one, where something is loaded on it.
    """
    refine = from_json(Refine, args.settings, "refine")
    propose = from_json(Propose, args.propose_settings, "propose")
    with_boxes = asks_with_boxes(to_values(refine))
    kit = Kit(
        image_folder=args.image_folder,
        category_ids=category_ids(args.categories),
        propose=propose,
        select=from_json(Select, args.select_settings, "select"),
        refine=refine,
        model=args.model,
        embeddings=args.embeddings,
        zoom=zoom_of(args, refine, OnDemand(propose, device)) if refine.zoom.enabled else None,
        boxes=boxes_of(args, refine, OnDemand(propose, device)) if with_boxes else None,
        former=former_of(args, refine),
        propose_model=args.propose_model,
    )
    return kit, refine


def former_of(args: argparse.Namespace, refine: Refine) -> Former | None:
    """Tables of the round before, for a method that reads them.

    Raises
    ------
    ValueError : it reads them, and some were not given.
    """
    if not REFINERS[refine.method].former or REFINERS[refine.method].fit:
        return None
    files = former_files(args)
    if len(files) < len(FORMER):
        flags = ", ".join(f"--former-{flag}" for flag in FORMER)
        raise ValueError(
            f"refine.method {refine.method} judges the labels of the round before and needs "
            f"{flags}, but {len(files)} of them were given. Run the round before, with its "
            "detector and predict."
        )
    return Former(*files)


def former_files(args: argparse.Namespace) -> list[Path]:
    """Those that were given, in the order of FORMER."""
    found = [getattr(args, f"former_{flag}") for flag in FORMER]
    return [path for path in found if path is not None]


def zoom_of(args: argparse.Namespace, refine: Refine, segmenter: OnDemand) -> KeptZoom:
    """What asks again, close up, where no answer is kept."""
    sizes = {"window": refine.zoom.window, "margin": refine.zoom.margin}
    kept = Kept(args.answers, args.out, ZOOMED, zoom_facts(segmenter, **sizes))
    return KeptZoom(segmenter, kept, **sizes)


def boxes_of(args: argparse.Namespace, refine: Refine, segmenter: OnDemand) -> KeptBoxes:
    """What asks with boxes, where no answer is kept."""
    kept = Kept(args.answers, args.out, BOXED, box_facts(segmenter, clean=refine.clean))
    return KeptBoxes(segmenter, kept, clean=refine.clean)
