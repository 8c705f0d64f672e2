"""inspect: why was this mask chosen? The trail of one image through the stages that are done.

    python -m stages.inspect results/demo --image 17

prints for every object its labels, the proposals with their scores, the steps of the method and
what became of it (`>` chosen, `s` what select alone would have taken), and writes a picture of it.
Of an image with tags it first tells their peaks with map and value, the proposals by kind of
prompt, and the best detections of each tag (`s` selected); in the picture these are the first row.
Nothing of the run is changed.
"""

from collections.abc import Sequence
from pathlib import Path

from stages.photographs.reading import photograph
from stages.reporting.image_trail import gather, image_ids
from stages.reporting.run_folders import run_folders
from stages.reporting.trail_figure import draw_trail
from stages.reporting.trail_text import text_of
from stages.runtime.program import parser_of, run


def main(argv: Sequence[str] | None) -> None:
    """Command line of the program."""
    parser = parser_of(__doc__, "inspect")
    parser.add_argument("run", type=Path, help="folder results/<run>")
    parser.add_argument("--image", type=int, help="image id")
    parser.add_argument("--variant", help="default: the only one, or the first by name")
    parser.add_argument("--image-folder", type=Path, help="default: the run's own PartWorld")
    parser.add_argument("--out", type=Path, help="PNG; default results/<run>/inspect/image-ID.png")
    parser.add_argument("--instances", type=int, default=12, help="rows of the picture, at most")
    args = parser.parse_args(argv)
    folders = run_folders(args.run)
    variants = folders.variants()
    variant = args.variant or (variants[0] if variants else "")
    if args.variant and args.variant not in variants:
        raise ValueError(
            f"{args.run}: no variant {args.variant!r} there. Name one of {', '.join(variants)}."
        )
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
    draw_trail(trail, pixels, out, rows=args.instances)
    hidden = len(trail.instances) - args.instances
    print(f"\npicture: {out}" + (f" ({hidden} more instances not drawn)" if hidden > 0 else ""))


if __name__ == "__main__":
    run("inspect", main)
