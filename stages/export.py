"""export: refined instances to one COCO JSON file of pseudo-labels.

In come images, weak labels, categories and the shards of table `refinements`; out goes
`pseudo_labels.json`, with all images and all categories (also those without labels), and one
annotation per refined instance in the order of (image_id, instance_id), but for those that a
transform of `stages/labels/` leaves out. SAPNet, Sec. 3.6: the box is mapped to one of SAM's own
masks, whose hull is `bbox`.

Keys beside COCO's: `score` (PSM's bag score of the class, 0 to 1; the PRM score, in `quality`, is
that of one box among many that compete, so it is small and no confidence), `mask_weight` (0: the
mask is empty or not trusted; `bbox` and `area` are then those of the box that is known, and only
the box should be trained), `extra_masks` (runner-ups of the bag), `quality` and `provenance`. The
file is checked before it takes its name.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from stages.formats.coco_writing import write_coco
from stages.formats.exported import check_pseudo_labels
from stages.geometry.boxes import clip_boxes
from stages.geometry.masks import rle_areas, rle_of
from stages.labels.agreement import ignore_misfits
from stages.labels.annotation import DIGITS, annotation_of
from stages.labels.chain import Transform, transformed
from stages.labels.drop_below import drop_below
from stages.labels.merge_smaller import merge_smaller
from stages.labels.pseudo_label import PseudoLabel
from stages.runtime.atomic import replacing
from stages.runtime.program import Sentence, parser_of, run, say
from stages.runtime.progress import Progress
from stages.runtime.provenance import provenance_of
from stages.settings.export import AnyTransform, Export
from stages.settings.section import from_json, to_values
from stages.tables.categories import CATEGORIES
from stages.tables.images import IMAGES
from stages.tables.refinements import REFINEMENTS
from stages.tables.streams import Cursor, images_of_shards
from stages.tables.table import checked_header, read_table, rows_by_image
from stages.tables.weak_labels import WEAK_LABELS


def annotations_of(
    labels: dict[int, dict[str, Any]],
    rows: pa.Table,
    *,
    first_id: int,
    extra_masks: int,
    transforms: Sequence[Transform] = (),
) -> tuple[list[dict[str, Any]], Counter[str]]:
    """COCO annotations of one image.

    Parameters
    ----------
    labels : rows of table `weak_labels` of this image by instance_id.
    rows : rows of table `refinements` of this image, (n,).
    first_id : id of the first annotation.
    extra_masks : at most so many runner-up masks each.
    transforms : what is done to the pseudo-labels first.

    Returns
    -------
    annotations : dicts in the order of `rows`, all but those that a transform leaves out.
    counts : written, untrusted (of those, the mask is not trained), emptied (of those, by a
        transform) and dropped (not written).

    Raises
    ------
    ValueError : a refined instance has no weak label, or a transform misses a given box.
    """
    refined = {row["instance_id"]: row for row in rows.to_pylist()}
    for instance_id, row in refined.items():
        if instance_id not in labels:
            raise ValueError(
                f"export: image {row['image_id']}: instance {instance_id} is refined but has no "
                "weak label. The tables are of different runs: rerun with -R propose."
            )
    made = [pseudo_label_of(row, labels[instance_id]) for instance_id, row in refined.items()]
    kept = transformed(made, transforms)
    entries = []
    for number, label in enumerate(kept, start=first_id):
        row, weak = refined[label.instance_id], labels[label.instance_id]
        entries.append({"id": number, **annotation_of(label, row, weak, extra_masks=extra_masks)})
    return entries, _counts(made, kept)


def pseudo_label_of(row: dict[str, Any], weak_label: dict[str, Any]) -> PseudoLabel:
    """What refine found of one instance; the refined box stands in for an empty mask.

    Parameters
    ----------
    row : of table `refinements`. weak_label : of table `weak_labels`.
    """
    rle = rle_of(row["rle"], row["height"], row["width"])
    box = np.array(row["box_prm"], dtype=np.float32)
    given = weak_label["box"]
    return PseudoLabel(
        image_id=row["image_id"],
        instance_id=row["instance_id"],
        rle=rle,
        score=round(row["bag_score"], DIGITS),  # as written, so that drop_below is as it reads
        mask_weight=1.0 if rle_areas([rle])[0] else 0.0,
        stand_in=clip_boxes(box, row["height"], row["width"]),
        refined=box,
        given=None if given is None else np.array(given, dtype=np.float32),
    )


def _counts(made: Sequence[PseudoLabel], kept: Sequence[PseudoLabel]) -> Counter[str]:
    had_pixels = {label.instance_id for label in made if label.area}
    return Counter(
        written=len(kept),
        untrusted=sum(not label.mask_weight for label in kept),
        emptied=sum(not label.area and label.instance_id in had_pixels for label in kept),
        dropped=len(made) - len(kept),
    )


def transform_of(step: AnyTransform) -> Transform:
    """The transform that an entry of `transforms` names, with its keys set."""
    if step.name == "merge_smaller":
        return merge_smaller
    if step.name == "drop_below":
        return partial(drop_below, score=step.score)
    return partial(
        ignore_misfits, threshold=step.threshold, box=step.box, convention=step.convention
    )


class Exporter:
    """Walks the images in order and yields their annotations; keeps count."""

    def __init__(self, images: pa.Table, labels: pa.Table, settings: Export):
        self.image_ids = images.column("image_id").to_pylist()
        self.labels = rows_by_image(labels)
        self.extra_masks = settings.extra_masks
        self.transforms = [transform_of(step) for step in settings.transforms]
        self.counts = Counter[str]()

    def annotations(self, refinements: Cursor, progress: Progress) -> Iterator[dict[str, Any]]:
        """Annotations of all images, ids from 1."""
        for image_id in self.image_ids:
            yield from self._of_image(image_id, refinements.rows(image_id))
            progress.step()

    def _of_image(self, image_id: int, rows: pa.Table | None) -> list[dict[str, Any]]:
        labels = self.labels[image_id].to_pylist() if image_id in self.labels else []
        self.counts["missing"] += len(labels) - (len(rows) if rows is not None else 0)
        if rows is None:
            return []
        made, counts = annotations_of(
            {label["instance_id"]: label for label in labels},
            rows,
            first_id=self.counts["written"] + 1,
            extra_masks=self.extra_masks,
            transforms=self.transforms,
        )
        self.counts += counts
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
    exporter = Exporter(images, labels, settings)
    rows = Cursor(images_of_shards(args.refinements, REFINEMENTS))
    progress = Progress("export", len(images))
    info = {"description": "Maskmill pseudo-labels", "maskmill": facts}
    with replacing(args.out) as temporary:
        with temporary.open("w", encoding="utf-8") as file:
            write_coco(file, info, images, categories, exporter.annotations(rows, progress))
        check_left(exporter.counts)
        check_pseudo_labels(temporary, annotations=exporter.counts["written"])
    say("export", summary(exporter))


def check_left(counts: Counter[str]) -> None:
    """Raise ValueError where drop_below has left nothing to train on."""
    if counts["dropped"] and not counts["written"]:
        raise ValueError(
            f"export: drop_below leaves out all {counts['dropped']} labels, since no score reaches "
            "its `score`. Lower that in export.transforms."
        )


def summary(exporter: Exporter) -> Sentence:
    """The closing sentence of the log."""
    counts = exporter.counts
    return (
        f"{len(exporter.image_ids)} images, {counts['written']} annotations, "
        f"{counts['untrusted']} of them with a box but no trusted mask "
        f"({counts['emptied']} emptied by merging), {counts['dropped']} dropped, "
        f"{counts['missing']} instances without proposals."
    )


if __name__ == "__main__":
    run("export", main)
