"""export: refined instances to one COCO JSON file of pseudo-labels.

In come images, weak labels, categories and the shards of table `refinements`; out goes
`pseudo_labels.json`, with all images and all categories (also those without labels), and one
annotation per refined instance in the order of (image_id, instance_id), one per line, so that
`grep` and `head` are at home in it. SAPNet, Sec. 3.6: the box is mapped to one of SAM's own masks,
whose hull is `bbox`.

Keys beside COCO's: `score` (PSM's bag score of the class, 0 to 1; the PRM score, in `quality`, is
that of one box among many that compete, so it is small and no confidence), `mask_weight` (0: SAM's
mask was empty; `bbox` and `area` are then those of the refined box and only the box should be
trained), `extra_masks` (runner-ups of the bag), `quality` and `provenance`. The file is checked
before it takes its name.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pyarrow as pa

from stages.files.atomic import replacing
from stages.files.program import Progress, parser_of, run, say
from stages.files.provenance import provenance_of
from stages.files.records import (
    CATEGORIES,
    IMAGES,
    REFINEMENTS,
    WEAK_LABELS,
    boxes_of,
    checked_header,
    read_table,
    rows_by_image,
)
from stages.files.streams import Cursor, images_of_shards
from stages.geometry.boxes import box_iou, clip_boxes, xyxy_to_xywh
from stages.geometry.masks import Rle, rle_areas, rle_boxes, rle_of
from stages.readers.pseudo_labels import check_pseudo_labels
from stages.settings.export import Export
from stages.settings.section import from_json, to_values

DIGITS = 6  # of scores; float32 holds no more


def annotations_of(
    labels: dict[int, dict[str, Any]], rows: pa.Table, *, first_id: int, extra_masks: int
) -> list[dict[str, Any]]:
    """COCO annotations of one image.

    Parameters
    ----------
    labels : rows of table `weak_labels` of this image by instance_id.
    rows : rows of table `refinements` of this image, (n,).
    first_id : id of the first annotation.
    extra_masks : at most so many runner-up masks each.

    Returns
    -------
    (n,) dicts in the order of `rows`.

    Raises
    ------
    ValueError : a refined instance has no weak label.
    """
    boxes = boxes_of(rows, "box_prm")
    made = []
    for number, row in enumerate(rows.to_pylist()):
        if row["instance_id"] not in labels:
            raise ValueError(
                f"export: image {row['image_id']}: instance {row['instance_id']} is refined but "
                "has no weak label. The tables are of different runs: rerun with -R propose."
            )
        label = labels[row["instance_id"]]
        made.append(
            {
                "id": first_id + number,
                "image_id": row["image_id"],
                "category_id": label["category_id"],
                **_shape(row, boxes[number]),
                "iscrowd": 0,
                "score": round(row["bag_score"], DIGITS),
                "extra_masks": _extra(row, extra_masks),
                "quality": _quality(row, boxes[number]),
                "provenance": _provenance(row, label),
            }
        )
    return made


def _shape(row: dict[str, Any], box: np.ndarray) -> dict[str, Any]:
    """Box, area, mask and its weight; the refined box stands in for an empty mask."""
    rle = rle_of(row["rle"], row["height"], row["width"])
    area = int(rle_areas([rle])[0])
    if area:
        hull = rle_boxes([rle])[0]
    else:
        hull = clip_boxes(box, row["height"], row["width"])
    xywh = [round(float(value), 2) for value in xyxy_to_xywh(hull)]
    return {
        "bbox": xywh,
        "area": area or round(xywh[2] * xywh[3], 2),
        "segmentation": _written(rle),
        "mask_weight": 1.0 if area else 0.0,
    }


def _written(rle: Rle) -> dict[str, Any]:
    return {"size": rle["size"], "counts": rle["counts"].decode("ascii")}


def _extra(row: dict[str, Any], count: int) -> list[dict[str, Any]]:
    rles = [rle_of(counts, row["height"], row["width"]) for counts in row["extra_rles"]]
    areas = rle_areas(rles)
    return [_written(rle) for rle, area in zip(rles, areas, strict=True) if area][:count]


def _quality(row: dict[str, Any], box: np.ndarray) -> dict[str, Any]:
    """How sure refine was: PRM score, BMS rule, origin of the mask, its fit to the refined box."""
    hull = rle_boxes([rle_of(row["rle"], row["height"], row["width"])])
    return {
        "prm_score": round(row["score"], DIGITS),
        "bms_rule": row["bms_rule"],
        "mask_source": row["mask_source"],
        "box_fit": round(float(box_iou(hull, box[None])[0, 0]), DIGITS),
    }


def _provenance(row: dict[str, Any], label: dict[str, Any]) -> dict[str, Any]:
    point = None if label["x"] is None else [round(label["x"], 2), round(label["y"], 2)]
    return {
        "instance_id": row["instance_id"],
        "proposal_id": row["proposal_id"],
        "proposal_id_select": row["proposal_id_select"],
        "prompt": {"kind": label["kind"], "point": point, "box": label["box"]},
    }


def write_coco(
    file: TextIO,
    info: dict[str, Any],
    images: pa.Table,
    categories: pa.Table,
    annotations: Iterator[dict[str, Any]],
) -> None:
    """Write a COCO file piece by piece, one entry per line."""
    file.write(f'{{"info": {json.dumps(info, sort_keys=True)},\n"licenses": [],\n"images": ')
    _write_list(file, map(_image_entry, images.to_pylist()))
    file.write(',\n"categories": ')
    _write_list(file, map(_category_entry, categories.to_pylist()))
    file.write(',\n"annotations": ')
    _write_list(file, annotations)
    file.write("}\n")


def _write_list(file: TextIO, entries: Iterator[dict[str, Any]]) -> None:
    file.write("[")
    for number, entry in enumerate(entries):
        file.write((",\n" if number else "\n") + json.dumps(entry, allow_nan=False))
    file.write("\n]")


def _image_entry(row: dict[str, Any]) -> dict[str, Any]:
    names = ("file_name", "height", "width")
    return {"id": row["image_id"], **{name: row[name] for name in names}}


def _category_entry(row: dict[str, Any]) -> dict[str, Any]:
    names = ("name", "supercategory")
    return {"id": row["category_id"], **{name: row[name] for name in names}}


class Exporter:
    """Walks the images in order and yields their annotations; keeps count."""

    def __init__(self, images: pa.Table, labels: pa.Table, *, extra_masks: int):
        self.image_ids = images.column("image_id").to_pylist()
        self.labels = rows_by_image(labels)
        self.extra_masks = extra_masks
        self.written = self.missing = self.stand_ins = 0

    def annotations(self, refinements: Cursor, progress: Progress) -> Iterator[dict[str, Any]]:
        """Annotations of all images, ids from 1."""
        for image_id in self.image_ids:
            yield from self._of_image(image_id, refinements.rows(image_id))
            progress.step()

    def _of_image(self, image_id: int, rows: pa.Table | None) -> list[dict[str, Any]]:
        labels = self.labels[image_id].to_pylist() if image_id in self.labels else []
        by_id = {label["instance_id"]: label for label in labels}
        self.missing += len(labels) - (len(rows) if rows is not None else 0)
        if rows is None:
            return []
        made = annotations_of(by_id, rows, first_id=self.written + 1, extra_masks=self.extra_masks)
        self.written += len(made)
        self.stand_ins += sum(not entry["mask_weight"] for entry in made)
        return made


def upstream_of(paths: Sequence[Path]) -> dict[str, Any]:
    """The header that all shards of table `refinements` share.

    Raises
    ------
    ValueError : the shards were made with different settings or models.
    """
    headers = [checked_header(path, REFINEMENTS) for path in paths]
    odd = [path for path, header in zip(paths, headers, strict=True) if header != headers[0]]
    if odd:
        raise ValueError(
            f"{odd[0]}: made with other settings or another model than {paths[0]}. "
            "Remove the folder and run snakemake again."
        )
    return headers[0]


def main(argv: Sequence[str] | None) -> None:
    """Command line of the stage."""
    parser = parser_of(__doc__, "export")
    for flag in ("images", "weak-labels", "categories", "out"):
        parser.add_argument(f"--{flag}", type=Path, required=True)
    parser.add_argument("--refinements", type=Path, nargs="+", required=True)
    parser.add_argument("--settings", default="{}", help="JSON of the config section `export`")
    args = parser.parse_args(argv)
    settings = from_json(Export, args.settings, "export")
    upstream = upstream_of(args.refinements)
    facts = provenance_of(
        "stages.export",
        settings=to_values(settings),
        seed=upstream.get("seed", 0),
        packages=("pycocotools", "pyarrow"),
        upstream=upstream,
    )
    images, labels = read_table(args.images, IMAGES), read_table(args.weak_labels, WEAK_LABELS)
    categories = read_table(args.categories, CATEGORIES)
    exporter = Exporter(images, labels, extra_masks=settings.extra_masks)
    rows = Cursor(images_of_shards(args.refinements, REFINEMENTS))
    progress = Progress("export", len(images))
    info = {"description": "Maskmill pseudo-labels", "maskmill": facts}
    with replacing(args.out) as temporary:
        with temporary.open("w", encoding="utf-8") as file:
            write_coco(file, info, images, categories, exporter.annotations(rows, progress))
        check_pseudo_labels(temporary, annotations=exporter.written)
    say("export", summary(exporter))


def summary(exporter: Exporter) -> str:
    """The closing sentence of the log."""
    return (
        f"{len(exporter.image_ids)} images, {exporter.written} annotations, "
        f"{exporter.stand_ins} with a box but no mask, {exporter.missing} instances without "
        "proposals."
    )


if __name__ == "__main__":
    run("export", main)
