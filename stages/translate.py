"""translate: labels of any format as a COCO file, for what trains on or scores by ground truth.

In come labels in one of the formats of `stages/formats/` and their photographs, of which the
headers alone are read; out goes a COCO instances file with the masks and boxes that the labels
hold, one annotation a line. It is in the DAG only where `dataset.val`, or `dataset.train` as ground
truth, is in another format than COCO; of the training labels none but `evaluate` reads it, and a
detector that learns from the ground truth, for comparison.

Labels without ids are numbered anew, as COCO wants; `number_in_image` then is the number by which
the weak label of the same object is known.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stages.formats.coco_truth import Truths
from stages.formats.coco_writing import write_entries
from stages.formats.format import AUTO, FORMATS, STORED_GRID, Labelled
from stages.formats.telling import format_of
from stages.photographs.admitting import Admission
from stages.runtime.atomic import replacing
from stages.runtime.doors import opened
from stages.runtime.faults import Faults
from stages.runtime.program import Sentence, parser_of, run, say
from stages.settings.prepare import Prepare
from stages.settings.section import from_json


def _parser() -> argparse.ArgumentParser:
    parser = parser_of(__doc__, "translate")
    for flag in ("image-folder", "annotations", "out"):
        parser.add_argument(f"--{flag}", type=Path, required=True)
    parser.add_argument("--format", default=AUTO, choices=(AUTO, *FORMATS))
    parser.add_argument("--follow-links", action="store_true", help="links may leave the folder")
    parser.add_argument("--settings", default="{}", help="JSON of the config section `prepare`")
    return parser


def main(argv: Sequence[str] | None) -> None:
    """Command line of the stage."""
    args = _parser().parse_args(argv)
    settings = from_json(Prepare, args.settings, "prepare")
    name = format_of(args.annotations) if args.format == AUTO else args.format
    faults = Faults(args.annotations)
    file: Labelled = opened(FORMATS[name].module).read(args.annotations, args.image_folder, faults)
    admission = Admission(
        args.image_folder, settings, is_raw=name in STORED_GRID, follow_links=args.follow_links
    )
    images = admission.measured(file.images)
    faults.check(admission.faults)
    truths = Truths(has_ids=file.has_ids, faults=faults)
    entries = {image["id"]: image for image in images}
    with replacing(args.out) as temporary:
        with temporary.open("w", encoding="utf-8") as out:
            write_entries(
                out,
                {"description": f"Labels of format {name}, as COCO"},
                map(entry_of, images),
                iter(file.categories),
                truths.annotations(file.labels, entries),
            )
        faults.check()
        check_some(truths, args.annotations)
    say("translate", summary(name, images, truths, admission))


def entry_of(image: dict[str, Any]) -> dict[str, Any]:
    """An image as COCO has it."""
    return {name: image[name] for name in ("id", "file_name", "height", "width")}


def check_some(truths: Truths, source: Path) -> None:
    """Raise ValueError where there is nothing to train on or to score by."""
    if not truths.written:
        left = ", ".join(f"{count} {what}" for what, count in truths.left_out.items())
        raise ValueError(
            f"{source}: no label has a mask or a box ({left or 'there are none'}), so nothing can "
            "be scored or trained by them. Set dataset.ground_truth: false, or dataset.val: null."
        )


def summary(name: str, images: Sequence[Any], truths: Truths, admission: Admission) -> Sentence:
    """The closing sentence of the log."""
    left = "".join(f", {count} {what} left out" for what, count in truths.left_out.items())
    skipped = len(admission.skipped)
    return (
        f"{len(images)} images ({skipped} skipped), {truths.written} annotations of format {name}"
        f"{left}."
    )


if __name__ == "__main__":
    run("translate", main)
