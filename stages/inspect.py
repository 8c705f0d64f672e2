"""inspect: why was this mask chosen? The trail of one image through the stages that are done.

    python -m stages.inspect results/demo --image 17

prints for every object its labels, the proposals with their scores, the steps of the method and
what became of it (`>` chosen, `s` what select alone would have taken), and writes a picture of it.
Of an image with tags it first tells their peaks with map and value, the proposals by kind of
prompt, and the best detections of each tag (`s` selected); in the picture these are the first row.
The maps that peaks were found in are not stored; `--maps` computes them anew, for the picture.
Of boxes that BoxCaseg was asked about, `--crops` writes a second picture: the crops, what each head
sees in them, and the mask. Nothing of the run is changed.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stages.photographs.reading import photograph
from stages.reporting.crop_figure import CropRow, boxed, draw_crops, proposed_mask
from stages.reporting.image_trail import Trail, gather, image_ids
from stages.reporting.run_folders import RunFolders, run_folders
from stages.reporting.trail_figure import draw_trail
from stages.reporting.trail_text import text_of
from stages.runtime.program import parser_of, run
from stages.tables.categories import CATEGORIES
from stages.tables.table import read_table


def main(argv: Sequence[str] | None) -> None:
    """Command line of the program."""
    args = _arguments(argv)
    folders = run_folders(args.run)
    variant = _variant(args, folders)
    if args.image is None:
        first = ", ".join(str(i) for i in image_ids(folders, variant, 10))
        raise ValueError(f"name an image with --image; the first ones are {first}.")
    trail = gather(folders, args.image, variant)
    print(text_of(trail))
    drawn = folders.stage(variant, "partworld") / "train" / "images"
    folder = args.image_folder or drawn
    if not folder.is_dir():
        raise ValueError(f"{folder}: no such folder. Name the images with --image-folder.")
    out = args.out or args.run / "inspect" / f"image-{args.image}.png"
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
    parser.add_argument("--image", type=int, help="image id")
    parser.add_argument("--variant", help="default: the first by name that has data")
    parser.add_argument("--image-folder", type=Path, help="default: the run's own PartWorld")
    parser.add_argument("--out", type=Path, help="PNG; default results/<run>/inspect/image-ID.png")
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
    return parser.parse_args(argv)


def _variant(args: argparse.Namespace, folders: RunFolders) -> str:
    """The variant that is named, or the first by name that has data."""
    variants = folders.variants()
    there = [name for name in variants if folders.stage(name, "prepare").is_dir()]
    if args.variant and args.variant not in variants:
        raise ValueError(
            f"{args.run}: no variant {args.variant!r} there. Name one of {', '.join(variants)}."
        )
    return args.variant or next(iter(there or variants), "")


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
