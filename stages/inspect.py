"""inspect: why was this mask chosen? The trail of one image through the stages that are done.

    python -m stages.inspect results/demo --image 17
    python -m stages.inspect results/demo --image a.jpg --class dog
    python -m stages.inspect results/demo --annotation 4711
    python -m stages.inspect results/demo --worst 20

prints for every object its labels, the proposals with their scores, the steps of the method and
what became of it (`>` chosen, `s` what select alone would have taken), what all of these mean, and
which stages are not done yet, and writes a picture of it. `--worst` lists the most doubtful labels,
ranked as the page of the run ranks them, and draws the first. Photographs are found where planning
noted them.
Of an image with tags it first tells their peaks with map and value, the proposals by kind of
prompt, and the best detections of each tag (`s` selected); in the picture these are the first row.
The maps that peaks were found in are not stored; `--maps` computes them anew, for the picture.
Of boxes that BoxCaseg was asked about, `--crops` writes a second picture: the crops, what each head
sees in them, and the mask. Nothing of the run is changed.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stages.photographs.reading import photograph
from stages.reporting.asked_images import annotation_asked, class_asked, first_images, image_asked
from stages.reporting.crop_figure import CropRow, boxed, draw_crops, proposed_mask
from stages.reporting.doubtful import most_doubtful, worst_text
from stages.reporting.image_trail import Trail, only, trail_of
from stages.reporting.run_folders import RunFolders, run_folders
from stages.reporting.trail_figure import draw_trail
from stages.reporting.trail_tables import TOLD, TrailTables, missing, tables_of
from stages.reporting.trail_text import text_of
from stages.runtime.program import parser_of, run
from stages.tables.categories import CATEGORIES
from stages.tables.table import read_table


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked at: an image, and one object of it alone, or None: all."""

    image_id: int
    instance_id: int | None = None


def main(argv: Sequence[str] | None) -> None:
    """Command line of the program."""
    args = _arguments(argv)
    folders = run_folders(args.run)
    variant = _variant(args, folders)
    tables = tables_of(folders, variant)
    if args.category is not None:
        class_asked(tables.categories, args.category)
    asked = listed(args, tables) if args.worst else asked_for(args, tables)
    if asked is None:
        return
    trail = trail_of(tables, asked.image_id)
    if asked.instance_id is not None or args.category is not None:
        trail = only(trail, instance_id=asked.instance_id, category=args.category)
    if not args.worst:
        lacking = missing(tables, folders.stages(variant, TOLD), asked.image_id)
        print(text_of(trail, lacking))
    if args.picture:
        drawn(args, trail, folders, variant, args.out or args.run / "inspect" / _name(asked))


def listed(args: argparse.Namespace, tables: TrailTables) -> Asked | None:
    """Print the most doubtful labels; the first of them, or None without any."""
    category = args.category
    category_id = None if category is None else class_asked(tables.categories, category)
    found = most_doubtful(tables, args.worst, category_id)
    print(worst_text(found, category))
    return next((Asked(row["image_id"], row["instance_id"]) for row in found.rows), None)


def asked_for(args: argparse.Namespace, tables: TrailTables) -> Asked:
    """What the flags name.

    Raises
    ------
    ValueError : nothing, or what is not there, or what is there several times.
    """
    image_id = None if args.image is None else image_asked(tables.images, args.image)
    if args.annotation is not None:
        return Asked(*annotation_asked(tables.weak_labels, args.annotation, image_id))
    if image_id is None:
        first = ", ".join(map(str, first_images(tables.weak_labels, 10)))
        raise ValueError(
            "name an image with --image or an annotation with --annotation, or list the most "
            f"doubtful labels with --worst 20; the first images are {first}."
        )
    return Asked(image_id)


def _name(asked: Asked) -> str:
    """Name of the picture."""
    of_one = "" if asked.instance_id is None else f"-instance-{asked.instance_id}"
    return f"image-{asked.image_id}{of_one}.png"


def drawn(
    args: argparse.Namespace, trail: Trail, folders: RunFolders, variant: str, out: Path
) -> None:
    """Write the picture of a trail, and that of crops where it is asked for; says where.

    Raises
    ------
    ValueError : the photograph is not there, or is another one.
    """
    if args.image_folder and not args.image_folder.is_dir():
        raise ValueError(f"{args.image_folder}: no such folder. Correct --image-folder.")
    folder = args.image_folder or folders.image_folder(variant)
    pixels = photograph(folder, trail.image)
    maps = maps_of(args.maps, trail, folders, variant, folder)
    draw_trail(trail, pixels, out, rows=args.instances, maps=maps)
    hidden = len(trail.instances) - args.instances
    print(f"\npicture: {out}" + (f" ({hidden} more instances not drawn)" if hidden > 0 else ""))
    if args.crops is not None:
        beside = out.with_name(f"{out.stem}-crops.png")
        crops = crops_of(args.crops, trail, folders, variant, pixels, most=args.instances)
        draw_crops(crops, pixels, beside)
        print(f"crops: {beside}")


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = parser_of(__doc__, "inspect")
    parser.add_argument("run", type=Path, help="folder results/<run>")
    parser.add_argument("--image", metavar="ID|NAME", help="id, or name of its file or its end")
    parser.add_argument("--annotation", type=int, metavar="ID", help="id in the file of labels")
    parser.add_argument("--class", dest="category", metavar="NAME", help="objects of it alone")
    parser.add_argument("--worst", type=_count, metavar="N", help="list the most doubtful labels")
    parser.add_argument("--variant", help="default: the one that has come furthest")
    parser.add_argument("--image-folder", type=Path, help="default: where planning noted it")
    parser.add_argument("--out", type=Path, help="PNG; default results/<run>/inspect/image-ID.png")
    parser.add_argument(
        "--no-picture", dest="picture", action="store_false", help="text alone, no photograph"
    )
    parser.add_argument(
        "--maps",
        nargs="?",
        const="",
        metavar="MODEL",
        help="draw the maps of clues; a model of fit_prompt: default the run's own",
    )
    parser.add_argument(
        "--crops",
        nargs="?",
        const="",
        metavar="MODEL",
        help="draw what BoxCaseg's heads see; a model of fit_propose: default the run's own",
    )
    parser.add_argument("--instances", type=int, default=12, help="rows of the picture, at most")
    args = parser.parse_args(argv)
    if args.worst and (args.image is not None or args.annotation is not None):
        raise ValueError("--worst is about all images. Leave out --image and --annotation.")
    return args


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of labels, such as 20")
    return int(text)


def _variant(args: argparse.Namespace, folders: RunFolders) -> str:
    """The variant that is named, or the one that has come furthest."""
    variants = folders.variants()
    if args.variant and args.variant not in variants:
        raise ValueError(
            f"{args.run}: no variant {args.variant!r} there. Name one of {', '.join(variants)}."
        )
    return args.variant or folders.furthest(("prepare", *TOLD))


def maps_of(
    model: str | None, trail: Trail, folders: RunFolders, variant: str, images: Path
) -> dict[str, np.ndarray]:
    """Maps of clues by title, 0 to 1; nothing where they are not asked for.

    Raises
    ------
    ValueError : the image has no tags, or the run has no prompts that were found in maps.
    """
    if model is None:
        return {}
    prompts = sorted(folders.stage(variant, "prompt").glob("shard-*.parquet"))
    if trail.tagged is None or not prompts:
        what = "the run has no table of prompts" if trail.tagged else "the image has no tags"
        raise ValueError(f"--maps: {what}, so no map was looked at. Leave it out.")
    from stages.methods.shown_maps import shown_maps  # torch, which nothing else here needs

    path = folders.stage(variant, "prepare") / "categories.parquet"
    rows = read_table(path, CATEGORIES).to_pylist()
    return shown_maps(
        prompts[0],
        trail.image,
        trail.tagged.classes,
        classes={row["category_id"]: row["name"] for row in rows},
        model=Path(model) if model else folders.stage(variant, "fit_prompt") / "model.pt",
        folder=images,
    )


def crops_of(
    model: str, trail: Trail, folders: RunFolders, variant: str, pixels: np.ndarray, *, most: int
) -> list[CropRow]:
    """What BoxCaseg's heads see in the first boxes of an image.

    Raises
    ------
    ValueError : there is no box with a proposal, or the proposals are of another segmenter.
    """
    shards = sorted(folders.stage(variant, "propose").glob("shard-*.parquet"))
    found = boxed(trail, most)
    if not found or not shards:
        raise ValueError("--crops: the image has no box that was asked about. Leave it out.")
    from stages.segmenters.shown_crops import shown_crops  # torch, which nothing else here needs

    path = Path(model) if model else folders.stage(variant, "fit_propose") / "model.pt"
    seen = shown_crops(shards[0], pixels, [box for _, box in found], model=path)
    return [
        CropRow(f"{own.category} {own.instance_id}", one.crop, one.maps, proposed_mask(own))
        for (own, _), one in zip(found, seen, strict=True)
    ]


if __name__ == "__main__":
    run("inspect", main)
