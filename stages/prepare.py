"""prepare: a file of labels and its photographs become tables of images, classes and weak labels.

In come labels in one of the formats of `stages/formats/` and a folder of photographs; out go
`images.parquet` with the size, digest and shard of each, `weak_labels.parquet` and
`categories.parquet`. What counts as a label says `prepare.labels` (see `formats/weakening.py`): as
given, or a point, box or tag of each annotation, beyond which no later stage but `evaluate` sees a
mask or a box. Which shard an image goes to depends on its id alone.
"""

import argparse
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from stages.formats.format import FORMATS, Labelled
from stages.formats.weakening import Weakening
from stages.photographs.reading import bytes_of, decoded, digest_of, image_path, size_of
from stages.runtime.code import code_of
from stages.runtime.doors import opened
from stages.runtime.program import Sentence, parser_of, run, say
from stages.runtime.progress import Progress
from stages.runtime.provenance import provenance_of
from stages.settings.prepare import Prepare
from stages.settings.section import from_json, provenance_values
from stages.tables.categories import CATEGORIES
from stages.tables.images import IMAGES, shard_of
from stages.tables.table import rows_table, table_of, write_table
from stages.tables.weak_labels import KINDS, WEAK_LABELS

Image = dict[str, Any]
PLURALS = {"point": "points", "box": "boxes", "tag": "tags", "mask": "masks"}
PACKAGES = ("numpy", "pycocotools", "pyarrow", "pillow")


def readable_images(
    images: Sequence[Mapping[str, Any]], folder: Path, settings: Prepare
) -> Iterator[Image]:
    """Yield the images that can be read, with the `digest` of the file.

    Raises
    ------
    ValueError : one cannot be read, and `undecodable` is "fail"; or it has another size than the
        file of labels says.
    """
    progress = Progress("prepare", len(images), "images checked", every=1000)
    for image in images:
        path = image_path(folder, image["file_name"])
        try:
            size, digest = looked_at(path, decode=settings.verify == "decode")
        except ValueError as error:
            if settings.undecodable == "fail":
                raise
            say("prepare", f"skipped: {error}")
            continue
        finally:
            progress.step()
        if size != (image["height"], image["width"]):
            raise ValueError(
                f"image {path}: {size[1]} x {size[0]} px, but the annotation file says "
                f"{image['width']} x {image['height']} px (EXIF rotation does not count). Correct "
                "the file, or give the photographs that it was made for."
            )
        yield {**image, "digest": digest}


def looked_at(path: Path, *, decode: bool) -> tuple[tuple[int, int], str]:
    """(height, width) px and digest of a photograph; raises ValueError where it cannot be read."""
    data = bytes_of(path)
    if decode:
        height, width = decoded(data, path).shape[:2]
        return (height, width), digest_of(data)
    return size_of(io.BytesIO(data), path), digest_of(data)


def image_columns(images: Sequence[Image], shards: int) -> dict[str, list[Any]]:
    """Columns of table `images`."""
    return {
        "image_id": [image["id"] for image in images],
        **{k: [image[k] for image in images] for k in ("file_name", "height", "width")},
        "shard": [shard_of(image["id"], shards) for image in images],
        "orientation": [1] * len(images),  # EXIF is not applied: boxes are of the raw grid
        "digest": [image["digest"] for image in images],
    }


def category_columns(categories: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Columns of table `categories`."""
    return {
        "category_id": [entry["id"] for entry in categories],
        "name": [str(entry["name"]) for entry in categories],
        "supercategory": [str(entry.get("supercategory", "")) for entry in categories],
    }


def check_truth(rows: Sequence[Mapping[str, Any]], source: Path) -> None:
    """Raise ValueError where masks are labels although they are to score the labels."""
    masks = sum(row["kind"] == "mask" for row in rows)
    if masks:
        raise ValueError(
            f"{source}: prepare.labels is given, so {masks} masks are labels; but "
            "dataset.ground_truth is true, so they are to score the labels. Set prepare.labels to "
            "point, box or tag to hide them from all stages but evaluate, or dataset.ground_truth "
            "to false."
        )


def told(
    rows: Sequence[Mapping[str, Any]], kept: Sequence[Any], file: Labelled, labels: str
) -> Sentence:
    """What was found, for the screen and the log."""
    counts = Counter(row["kind"] for row in rows)
    kinds = ", ".join(f"{counts[kind]} {PLURALS[kind]}" for kind in KINDS if counts[kind])
    skipped = len(file.images) - len(kept)
    left = len(file.labels) - len(rows)
    merged = "of classes that their image has already" if labels == "tag" else "in skipped images"
    return (
        f"{len(kept)} images ({skipped} skipped), {len(rows)} labels ({labels}): {kinds or 'none'} "
        f"({left} {merged}, {file.crowds} crowds left out)."
    )


def _parser() -> argparse.ArgumentParser:
    parser = parser_of(__doc__, "prepare")
    for flag in ("image-folder", "annotations", "out-images", "out-weak-labels", "out-categories"):
        parser.add_argument(f"--{flag}", type=Path, required=True)
    parser.add_argument("--format", default="coco", choices=sorted(FORMATS))
    parser.add_argument("--ground-truth", action="store_true", help="the masks score the labels")
    parser.add_argument("--shards", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--settings", default="{}", help="JSON of the config section `prepare`")
    return parser


def main(argv: Sequence[str] | None) -> None:
    """Command line of the stage."""
    args = _parser().parse_args(argv)
    settings = from_json(Prepare, args.settings, "prepare")
    module = FORMATS[args.format].module
    file: Labelled = opened(module).read(args.annotations)
    if not file.labels:
        raise ValueError(f"{args.annotations}: all annotations are crowds; nothing to label.")
    entries = {image["id"]: image for image in file.images}
    weakening = Weakening(settings, args.seed, args.annotations)
    rows = weakening.rows(file.labels, entries)
    if args.ground_truth and settings.labels == "given":
        check_truth(rows, args.annotations)
    images = list(readable_images(file.images, args.image_folder, settings))
    ids = {image["id"] for image in images}
    rows = [row for row in rows if row["image_id"] in ids]
    facts = provenance_of(
        "stages.prepare",
        settings=provenance_values(settings),
        seed=args.seed,
        packages=PACKAGES,
        code=code_of("stages.prepare", module),
    )
    columns = image_columns(images, args.shards)
    write_table(args.out_images, table_of(IMAGES, columns), IMAGES, facts)
    classes = table_of(CATEGORIES, category_columns(file.categories))
    write_table(args.out_categories, classes, CATEGORIES, facts)
    write_table(args.out_weak_labels, rows_table(WEAK_LABELS, rows), WEAK_LABELS, facts)
    text = told(rows, images, file, settings.labels)
    print(f"prepare: {text}", flush=True)
    say("prepare", text)


if __name__ == "__main__":
    run("prepare", main)
