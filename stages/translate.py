"""translate: labels of any format as a COCO file, for what trains on or scores by ground truth.

In come labels in one of the formats of `stages/formats/` and their photographs, of which the
headers alone are read; out goes a COCO instances file with the masks and boxes that the labels
hold, one annotation a line. It is in the DAG only where `dataset.val`, or `dataset.train` as ground
truth, is in another format than COCO; of the training labels none but `evaluate` reads it, and a
detector that learns from the ground truth, for comparison.

Classes of held-out labels are numbered as those of the same name are in the training labels, so
that a class which one of the two lacks shifts no number. Labels without ids are numbered anew, as
COCO wants; `number_in_image` then is the number by which the weak label of the object is known.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from stages.formats.coco_truth import Truths
from stages.formats.coco_writing import write_entries
from stages.formats.format import AUTO, FORMATS, STORED_GRID, Labelled
from stages.formats.labels_at import labels_at
from stages.formats.values import LARGEST_CLASS
from stages.photographs.admitting import Admission
from stages.runtime.atomic import replacing
from stages.runtime.faults import Faults
from stages.runtime.program import Sentence, parser_of, run, say
from stages.settings.prepare import Prepare
from stages.settings.section import from_json
from stages.tables.categories import CATEGORIES
from stages.tables.table import read_table


def _parser() -> argparse.ArgumentParser:
    parser = parser_of(__doc__, "translate")
    for flag in ("image-folder", "annotations", "out"):
        parser.add_argument(f"--{flag}", type=Path, required=True)
    parser.add_argument("--format", default=AUTO, choices=(AUTO, *FORMATS))
    parser.add_argument("--categories", type=Path, help="table of classes, to be numbered alike")
    parser.add_argument("--follow-links", action="store_true", help="links may leave the folder")
    parser.add_argument("--settings", default="{}", help="JSON of the config section `prepare`")
    return parser


def main(argv: Sequence[str] | None) -> None:
    """Command line of the stage."""
    args = _parser().parse_args(argv)
    settings = from_json(Prepare, args.settings, "prepare")
    faults = Faults(args.annotations)
    name, file = labels_at(args.annotations, args.image_folder, read=args.format, faults=faults)
    if args.categories:
        file = renumbered(file, read_table(args.categories, CATEGORIES).to_pylist())
    admission = Admission(
        args.image_folder,
        settings,
        is_raw=name in STORED_GRID,
        follow_links=args.follow_links,
        stage="translate",
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


def renumbered(file: Labelled, known: Sequence[Mapping[str, Any]]) -> Labelled:
    """The labels, their classes with the numbers that those of the same name have elsewhere.

    Parameters
    ----------
    known : rows of table `categories`; all become classes. Classes beside them have numbers above,
        or where these would leave 32 bits, those that are free.
    """
    classes = [{"id": row["category_id"], "name": row["name"]} for row in known]
    ids = {entry["name"]: entry["id"] for entry in classes}
    others = sorted({entry["name"] for entry in file.categories} - ids.keys())
    taken = {entry["id"] for entry in classes}
    first = max(taken, default=0) + 1
    first = 1 if first + len(others) > LARGEST_CLASS else first
    free = (number for number in count(first) if number not in taken)
    for name, number in zip(others, free, strict=False):
        ids[name] = number
        classes.append({"id": number, "name": name})
    given = {entry["id"]: ids[entry["name"]] for entry in file.categories}
    labels = [replace(label, category_id=given[label.category_id]) for label in file.labels]
    return replace(file, categories=sorted(classes, key=lambda c: c["id"]), labels=labels)


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
