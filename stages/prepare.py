"""prepare: a COCO file and its images become tables of images, classes and weak labels.

In comes COCO JSON with a mask per annotation (a point is drawn in each, as a person would click) or
with a `point: [x, y]` per annotation (masks and boxes are then never looked at). Out go
`images.parquet`, `weak_labels.parquet` and `categories.parquet`. This is the last stage before
`evaluate` that sees a ground-truth mask. Points: SAPNet, Sec. 4.1 ("QC" points) or uniform in the
mask, drawn per annotation id, so that neither order nor shards matter.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from stages.formats.coco import CocoFile, labelled, point_of, read_coco
from stages.geometry.masks import Rle, rle_areas, rle_boxes, rles_to_masks, segmentation_to_rle
from stages.geometry.points import quasi_center_point, uniform_point
from stages.photographs.reading import image_path, read_rgb, read_size
from stages.runtime.program import parser_of, run, say
from stages.runtime.progress import Progress
from stages.runtime.provenance import provenance_of
from stages.settings.prepare import Prepare
from stages.settings.section import from_json, to_values
from stages.tables.categories import CATEGORIES
from stages.tables.images import IMAGES
from stages.tables.table import table_of, write_table
from stages.tables.weak_labels import WEAK_LABELS

Annotation = dict[str, Any]
Image = dict[str, Any]
POINT_PURPOSE = 1  # keeps these random numbers apart from those of other stages


def readable_images(images: Sequence[Image], folder: Path, settings: Prepare) -> list[Image]:
    """The images that can be read and have the size that the annotation file says.

    Raises
    ------
    ValueError : one cannot, and `undecodable` is "fail"; or a size differs.
    """
    progress = Progress("prepare", len(images), "images checked", every=1000)
    good = []
    for image in images:
        path = image_path(folder, image["file_name"])
        try:
            size = read_size(path) if settings.verify == "header" else read_rgb(path).shape[:2]
        except ValueError as error:
            if settings.undecodable == "fail":
                raise
            say("prepare", f"skipped: {error}")
            continue
        finally:
            progress.step()
        if tuple(size) != (image["height"], image["width"]):
            raise ValueError(
                f"image {path}: {size[1]} x {size[0]} px, but the annotation file says "
                f"{image['width']} x {image['height']} px (EXIF rotation does not count)."
            )
        good.append(image)
    return good


def weak_point(
    annotation: Annotation, image: Image, *, settings: Prepare, seed: int, source: Path
) -> tuple[float, float]:
    """The point of one annotation, (x, y) px, given or drawn.

    Raises
    ------
    ValueError : no point and no usable mask, or a point outside the image.
    """
    if "point" in annotation:
        x, y = point_of(annotation, source)
    else:
        x, y = _drawn_point(annotation, image, settings=settings, seed=seed, source=source)
    if not (0 <= x < image["width"] and 0 <= y < image["height"]):
        raise ValueError(
            f"{source}: annotation {annotation['id']}: point ({x:g}, {y:g}) is outside its image "
            f"{image['file_name']} of {image['width']} x {image['height']} px."
        )
    return x, y


def _drawn_point(
    annotation: Annotation, image: Image, *, settings: Prepare, seed: int, source: Path
) -> tuple[float, float]:
    rle = _mask_of(annotation, image, source)
    rng = np.random.default_rng([seed, POINT_PURPOSE, annotation["id"]])
    if rle_areas([rle])[0] == 0:
        return _vertex(annotation, image, rng)
    mask = rles_to_masks([rle])[0]
    if settings.point == "uniform":
        return uniform_point(mask, rng)
    x0, y0, x1, y1 = (int(v) for v in rle_boxes([rle])[0])
    x, y = quasi_center_point(
        mask[y0:y1, x0:x1], rng, sigma=settings.sigma, size_range=settings.size_range
    )
    # the jitter may touch the far border of the image
    return min(x0 + x, image["width"] - 1e-3), min(y0 + y, image["height"] - 1e-3)


def _mask_of(annotation: Annotation, image: Image, source: Path) -> Rle:
    try:
        return segmentation_to_rle(annotation.get("segmentation"), image["height"], image["width"])
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"{source}: annotation {annotation['id']} has no usable mask to draw a point from "
            f"({error}). Give it one, or a `point`."
        ) from error


def _vertex(annotation: Annotation, image: Image, rng: np.random.Generator) -> tuple[float, float]:
    """A polygon's vertex, or the box's centre, for a mask too thin to cover any pixel."""
    segmentation = annotation["segmentation"]
    if isinstance(segmentation, list):
        corners = np.concatenate([np.reshape(p, (-1, 2)) for p in segmentation])
        x, y = corners[rng.integers(len(corners))]
    else:
        x0, y0, width, height = annotation.get("bbox", [0, 0, 1, 1])
        x, y = x0 + width / 2, y0 + height / 2
    return (
        float(np.clip(x, 0, image["width"] - 1e-3)),
        float(np.clip(y, 0, image["height"] - 1e-3)),
    )


def image_rows(images: Sequence[Image], shards: int) -> dict[str, list[Any]]:
    """Columns of table `images`; the image of rank r (by id) goes to shard r mod `shards`."""
    return {
        "image_id": [image["id"] for image in images],
        "file_name": [image["file_name"] for image in images],
        "height": [image["height"] for image in images],
        "width": [image["width"] for image in images],
        "shard": [rank % shards for rank in range(len(images))],
    }


def weak_labels(
    objects: Sequence[Annotation], coco: CocoFile, *, settings: Prepare, seed: int, source: Path
) -> list[dict[str, Any]]:
    """Rows of table `weak_labels`, sorted by image and annotation id; raises as `weak_point`."""
    images = {image["id"]: image for image in coco.images}
    rows = []
    for item in sorted(objects, key=lambda item: (item["image_id"], item["id"])):
        image = images[item["image_id"]]
        x, y = weak_point(item, image, settings=settings, seed=seed, source=source)
        ids = {"image_id": image["id"], "instance_id": item["id"]}
        label = {"category_id": item["category_id"], "kind": "point", "x": x, "y": y, "box": None}
        rows.append({**ids, **label})
    return rows


def category_rows(coco: CocoFile) -> dict[str, list[Any]]:
    """Columns of table `categories`."""
    return {
        "category_id": [entry["id"] for entry in coco.categories],
        "name": [str(entry["name"]) for entry in coco.categories],
        "supercategory": [str(entry.get("supercategory", "")) for entry in coco.categories],
    }


def main(argv: Sequence[str] | None) -> None:
    """Command line of the stage."""
    parser = parser_of(__doc__, "prepare")
    for flag in ("image-folder", "annotations", "out-images", "out-weak-labels", "out-categories"):
        parser.add_argument(f"--{flag}", type=Path, required=True)
    parser.add_argument("--shards", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--settings", default="{}", help="JSON of the config section `prepare`")
    args = parser.parse_args(argv)
    settings = from_json(Prepare, args.settings, "prepare")
    if settings.labels != "point":
        raise ValueError(f"prepare.labels: {settings.labels} cannot be read yet. Set it to point.")

    coco = read_coco(args.annotations)
    objects = labelled(coco.annotations)
    if not objects:
        raise ValueError(f"{args.annotations}: all annotations are crowds; nothing to label.")
    labels = weak_labels(objects, coco, settings=settings, seed=args.seed, source=args.annotations)
    images = readable_images(coco.images, args.image_folder, settings)
    kept = {image["id"] for image in images}
    rows = [row for row in labels if row["image_id"] in kept]
    facts = provenance_of(
        "stages.prepare",
        settings=to_values(settings),
        seed=args.seed,
        packages=("numpy", "pycocotools", "pyarrow", "pillow"),
    )
    write_table(args.out_images, table_of(IMAGES, image_rows(images, args.shards)), IMAGES, facts)
    write_table(args.out_categories, table_of(CATEGORIES, category_rows(coco)), CATEGORIES, facts)
    write_table(
        args.out_weak_labels, pa.Table.from_pylist(rows, WEAK_LABELS.schema), WEAK_LABELS, facts
    )
    say(
        "prepare",
        f"{len(images)} images ({len(coco.images) - len(images)} skipped), {len(rows)} instances "
        f"({len(objects) - len(rows)} in skipped images, "
        f"{len(coco.annotations) - len(objects)} crowds left out).",
    )


if __name__ == "__main__":
    run("prepare", main)
