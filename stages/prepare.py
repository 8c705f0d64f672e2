"""prepare: labels in any format and their photographs become tables of images, classes and labels.

In come labels in one of the formats of `stages/formats/` and a folder of photographs; out go
`images.parquet` with the size, digest and shard of each, `weak_labels.parquet` and
`categories.parquet`. What counts as a label says `prepare.labels` (see `formats/weakening.py`): as
given, or a point, box or tag of each annotation, beyond which no later stage but `evaluate` sees a
mask or a box. Which shard an image goes to depends on its id alone. All faults are told in one run;
what is left out, or taken in another way than it stands there, is counted on the screen.
"""

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stages.formats.corrections import laid_over, read_corrections
from stages.formats.format import AUTO, FORMATS, STORED_GRID, Labelled
from stages.formats.labels_at import labels_at
from stages.formats.standing import standing
from stages.formats.weakening import Weakening
from stages.photographs.admitting import Admission
from stages.reporting.prepared_text import found, lines_of
from stages.runtime.atomic import write_text
from stages.runtime.code import code_of
from stages.runtime.faults import Faults
from stages.runtime.program import Sentence, parser_of, run, say
from stages.runtime.provenance import provenance_of
from stages.settings.prepare import Prepare
from stages.settings.section import from_json, provenance_values
from stages.tables.categories import CATEGORIES
from stages.tables.images import IMAGES, shard_of
from stages.tables.table import rows_table, table_of, write_table
from stages.tables.weak_labels import WEAK_LABELS

Row = dict[str, Any]
PACKAGES = ("numpy", "pycocotools", "pyarrow", "pillow")
SAME = ("file_name", "height", "width", "orientation", "black", "white", "digest")
KEPT: Sentence = "annotations with iscrowd 1 taken as one object each (prepare.crowds)"
CROWDS: Sentence = "crowds (iscrowd 1; prepare.crowds says which are kept)"


def image_columns(images: Sequence[Row], shards: int) -> dict[str, list[Any]]:
    """Columns of table `images`."""
    return {
        "image_id": [image["id"] for image in images],
        **{name: [image[name] for image in images] for name in SAME},
        "shard": [shard_of(image["id"], shards) for image in images],
    }


def category_columns(categories: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Columns of table `categories`."""
    return {
        "category_id": [entry["id"] for entry in categories],
        "name": [entry["name"] for entry in categories],
        "supercategory": [entry.get("supercategory", "") for entry in categories],
    }


def check_truth(
    file: Labelled, rows: Sequence[Mapping[str, Any]], labels: str, source: Path
) -> None:
    """Raise ValueError where there are no masks to score by, or they are labels themselves."""
    if not any(label.mask is not None for label in file.labels):
        raise ValueError(
            f"{source}: dataset.ground_truth is true, but none of the {len(file.labels)} labels "
            "has a mask that could score what is made of them. Set dataset.ground_truth: false."
        )
    if labels != "given":
        return
    masks = sum(row["kind"] == "mask" for row in rows)
    if masks:
        raise ValueError(
            f"{source}: prepare.labels is given, so {masks} masks are labels; but "
            "dataset.ground_truth is true, so they are to score the labels. Set prepare.labels to "
            "point, box or tag to hide them from all stages but evaluate, or dataset.ground_truth "
            "to false."
        )


def weak_rows(
    file: Labelled, images: Sequence[Row], settings: Prepare, *, seed: int, faults: Faults
) -> tuple[list[Row], Counter[str], Counter[str]]:
    """Rows of table `weak_labels`.

    Parameters
    ----------
    images : those that can be read; labels of others are left out.

    Returns
    -------
    rows, then how many of what was left out, and of what was taken in another way.

    Raises
    ------
    ValueError : there is nothing to label.
    """
    crowds = Counter[str]()
    objects = standing(file.labels, settings.crowds, crowds)
    if not file.labels and not faults:
        raise ValueError(f"{faults.source}: there are no labels, so there is nothing to label.")
    if not objects and not faults:
        raise ValueError(
            f"{faults.source}: all annotations are crowds (iscrowd 1); nothing to label. Set "
            "prepare.crowds: all where each is one object."
        )
    entries = {image["id"]: image for image in images}
    there = [label for label in objects if label.image_id in entries]
    weakening = Weakening(settings, seed, faults, file.has_ids)
    rows = weakening.rows(there, entries)
    left_out = Counter(file.left_out)
    left_out["labels in skipped images"] += len(objects) - len(there)
    left_out["labels of a class that their image has already"] += len(there) - len(rows)
    left_out[CROWDS] += crowds["crowds_left_out"]
    told = Counter(file.told) + weakening.told
    told[KEPT] += crowds["crowds_kept"]
    return rows, left_out, told


def check_some(images: Sequence[Row], admission: Admission, source: Path) -> None:
    """Raise ValueError where no photograph is left."""
    if not images:
        first = f" The first: {admission.skipped[0][1]}" if admission.skipped else ""
        raise ValueError(
            f"{source}: not one image could be read ({len(admission.skipped)} skipped, since "
            f"prepare.undecodable is skip), so there is nothing to label.{first}"
        )


def _parser() -> argparse.ArgumentParser:
    parser = parser_of(__doc__, "prepare")
    for flag in ("image-folder", "annotations", "out-images", "out-weak-labels", "out-categories"):
        parser.add_argument(f"--{flag}", type=Path, required=True)
    parser.add_argument("--out-skipped", type=Path, help="names of images that cannot be read")
    parser.add_argument("--corrections", type=Path, help="that correct has written")
    parser.add_argument("--format", default=AUTO, choices=(AUTO, *FORMATS))
    parser.add_argument("--ground-truth", action="store_true", help="the masks score the labels")
    parser.add_argument("--follow-links", action="store_true", help="links may leave the folder")
    parser.add_argument("--shards", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--settings", default="{}", help="JSON of the config section `prepare`")
    return parser


def main(argv: Sequence[str] | None) -> None:
    """Command line of the stage."""
    args = _parser().parse_args(argv)
    settings = from_json(Prepare, args.settings, "prepare")
    faults = Faults(args.annotations)
    name, file = labels_at(args.annotations, args.image_folder, read=args.format, faults=faults)
    admission = Admission(
        args.image_folder,
        settings,
        is_raw=name in STORED_GRID,
        follow_links=args.follow_links,
    )
    measured = admission.measured(file.images)
    rows, left_out, told = weak_rows(file, measured, settings, seed=args.seed, faults=faults)
    faults.check(admission.faults)
    check_some(measured, admission, args.image_folder)
    if args.ground_truth:
        check_truth(file, rows, settings.labels, args.annotations)
    images = admission.verified(measured)
    check_some(images, admission, args.image_folder)
    ids = {image["id"] for image in images}
    kept = [row for row in rows if row["image_id"] in ids]
    left_out["labels in skipped images"] += len(rows) - len(kept)
    kept, mended = corrected(args.corrections, kept, images, file.categories)
    if not kept:
        raise ValueError(
            f"{args.annotations}: all {len(rows)} labels are of the {len(admission.skipped)} "
            "images that cannot be read, so there is nothing to label."
        )
    write(args, settings, name, images, kept, file.categories)
    text = (
        f"{len(images)} images, {len(kept)} labels of format {name} (prepare.labels: "
        f"{settings.labels}): {found(kept)}."
    )
    lines = lines_of(text, left_out, {**told, **mended, **admission.sentences()})
    for line in [*lines, *skipped(args.out_skipped, admission.skipped)]:
        print(f"prepare: {line}", flush=True)
        say("prepare", line)


def corrected(
    path: Path | None,
    rows: list[Row],
    images: Sequence[Row],
    categories: Sequence[Mapping[str, Any]],
) -> tuple[list[Row], Counter[str]]:
    """The weak labels with what people have mended, and how many; as they are without a file."""
    if path is None:
        return rows, Counter()
    entries = {image["id"]: image for image in images}
    classes = {entry["id"] for entry in categories}
    return laid_over(rows, read_corrections(path), entries, classes)


def skipped(path: Path | None, images: Sequence[tuple[str, str]]) -> list[Sentence]:
    """Write the list of the images that cannot be read; what is said of them, if there are any."""
    if path is not None:
        write_text(path, "".join(f"{name}\t{reason}\n" for name, reason in images))
    listed = f", listed in {path}" if path is not None else ""
    return [f"{len(images)} images skipped, since they cannot be read{listed}."] if images else []


def write(
    args: argparse.Namespace,
    settings: Prepare,
    name: str,
    images: Sequence[Row],
    rows: Sequence[Row],
    categories: Sequence[Mapping[str, Any]],
) -> None:
    """Write the tables."""
    facts = provenance_of(
        "stages.prepare",
        settings=provenance_values(settings),
        seed=args.seed,
        packages=PACKAGES,
        code=code_of("stages.prepare", FORMATS[name].module),
    )
    columns = image_columns(images, args.shards)
    write_table(args.out_images, table_of(IMAGES, columns), IMAGES, facts)
    classes = table_of(CATEGORIES, category_columns(categories))
    write_table(args.out_categories, classes, CATEGORIES, facts)
    write_table(args.out_weak_labels, rows_table(WEAK_LABELS, rows), WEAK_LABELS, facts)


if __name__ == "__main__":
    run("prepare", main)
