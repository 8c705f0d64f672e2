"""export: pseudo-labels to one COCO JSON file.

In come images, weak labels, categories and the shards of the tables `pseudo_labels` and `grades`,
which must be whole and add up; out goes `pseudo_labels.json`, with all images and all categories
(also those without labels), and one annotation per instance in the order of (image_id,
instance_id), but for those that a transform of `stages/labels/` leaves out. An annotation's id is
that of the object's own annotation; what was born of a tag is numbered above the largest. `bbox` is
the box that a person gave, else the hull of the mask (SAPNet, Sec. 3.6).

Keys beside COCO's: `score` (how sure it is that this is an object of its class, 0 to 1, as graded),
`mask_weight` (0: the mask is empty or not trusted; `bbox` and `area` are then those of the box that
is known, and only the box should be trained), `extra_masks` (runner-ups of the
bag), `quality` and `provenance`; where there are any, `ignore_mask`, pixels that no mask loss of a
training looks at. The file is checked before it takes its name.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from stages.formats.coco_writing import write_coco
from stages.formats.exported import check_pseudo_labels
from stages.labels.agreement import ignore_misfits
from stages.labels.annotation import Row, annotations_of
from stages.labels.chain import Transform
from stages.labels.drop_below import drop_below
from stages.labels.graded import graded
from stages.labels.merge_smaller import merge_smaller
from stages.labels.numbering import Numbering
from stages.runtime.atomic import replacing
from stages.runtime.program import Sentence, parser_of, run, say
from stages.runtime.progress import Progress
from stages.runtime.provenance import provenance_of
from stages.settings.export import AnyTransform, Export
from stages.settings.section import from_json, provenance_values, to_values
from stages.tables.categories import CATEGORIES
from stages.tables.checks import SIZE
from stages.tables.grades import GRADES
from stages.tables.images import IMAGES
from stages.tables.members import Members
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.shards import check_alike, whole_set
from stages.tables.spans import RowsOf
from stages.tables.streams import Cursor, images_of_shards
from stages.tables.table import read_table
from stages.tables.weak_labels import WEAK_LABELS

VERDICT = ("score", "mask_quality", "reasons")
TRANSFORMS: dict[str, Any] = {  # their keywords are the keys of the settings
    "merge_smaller": merge_smaller,
    "agreement": ignore_misfits,
    "drop_below": drop_below,
}


def transform_of(step: AnyTransform) -> Transform:
    """The transform that an entry of `transforms` names, with its keys set."""
    keys = to_values(step)
    return partial(TRANSFORMS[keys.pop("name")], **keys)


class Exporter:
    """Walks the images in order and yields their annotations; keeps count.

    Parameters
    ----------
    images, labels, categories : tables of these names (`weak_labels`). Deleted labels keep their
        ids and nothing else.
    """

    def __init__(self, images: pa.Table, labels: pa.Table, categories: pa.Table, settings: Export):
        self.image_ids = images.column("image_id").to_pylist()
        columns = (images.column(name).to_pylist() for name in SIZE)
        self.sizes = dict(zip(self.image_ids, zip(*columns, strict=True), strict=True))
        self.categories = set(categories.column("category_id").to_pylist())
        self.numbering = Numbering(own_ids(labels))
        standing = labels.filter(pc.not_equal(labels.column("status"), "deleted"))
        self.labels = RowsOf(standing, "image_id")
        self.extra_masks = settings.extra_masks
        self.transforms = [transform_of(step) for step in settings.transforms]
        self.counts = Counter[str](deleted=len(labels) - len(standing))

    def annotations(
        self, pseudo_labels: Cursor, grades: Cursor, progress: Progress
    ) -> Iterator[Row]:
        """Annotations of all images."""
        for image_id in self.image_ids:
            rows = pseudo_labels.rows(image_id)
            if rows is not None:
                yield from self._of_image(image_id, rows, grades.rows(image_id))
            progress.step()

    def _of_image(self, image_id: int, rows: pa.Table, grades: pa.Table | None) -> list[Row]:
        strangers = set(rows.column("category_id").to_pylist()) - self.categories
        if strangers:
            raise ValueError(
                f"image {image_id}: a pseudo-label has class {min(strangers)}, which is not in "
                "table categories. The tables are of different runs: remove them and run "
                "snakemake again."
            )
        sizes = set(zip(*(rows.column(name).to_pylist() for name in SIZE), strict=True))
        if sizes != {self.sizes[image_id]}:
            raise ValueError(
                f"image {image_id}: a pseudo-label is of {min(sizes)} px (height, width), but "
                f"table images says {self.sizes[image_id]}. The tables are of different runs: "
                "remove them and run snakemake again."
            )
        labels = self.labels[image_id].to_pylist() if image_id in self.labels else []
        found = graded(rows.to_pylist(), [] if grades is None else grades.to_pylist())
        made, counts = annotations_of(
            found,
            {label["label_id"]: label for label in labels},
            self.numbering.ids([row["instance_id"] for row in found]),
            extra_masks=self.extra_masks,
            transforms=self.transforms,
        )
        self.counts += counts
        return made


def own_ids(labels: pa.Table) -> list[int]:
    """instance_id of every object in table `weak_labels`, once for each image that it is in."""
    objects = labels.filter(pc.is_valid(labels.column("instance_id")))
    pairs = objects.group_by(["image_id", "instance_id"], use_threads=False).aggregate([])
    ids: list[int] = pairs.column("instance_id").to_pylist()
    return ids


def main(argv: Sequence[str] | None) -> None:
    """Command line of the stage."""
    parser = parser_of(__doc__, "export")
    for flag in ("images", "weak-labels", "categories", "out"):
        parser.add_argument(f"--{flag}", type=Path, required=True)
    for flag in ("pseudo-labels", "grades"):
        parser.add_argument(f"--{flag}", type=Path, nargs="+", required=True)
    parser.add_argument("--settings", default="{}", help="JSON of the config section `export`")
    args = parser.parse_args(argv)
    settings = from_json(Export, args.settings, "export")
    check_alike({args.images: IMAGES, args.weak_labels: WEAK_LABELS, args.categories: CATEGORIES})
    images, labels = read_table(args.images, IMAGES), read_table(args.weak_labels, WEAK_LABELS)
    categories = read_table(args.categories, CATEGORIES)
    upstream = checked_set(args.pseudo_labels, images, labels)
    facts = provenance_of(
        "stages.export",
        settings=provenance_values(settings),
        seed=upstream.get("seed", 0),
        packages=("pycocotools", "pyarrow"),
        upstream=upstream,
        graded=whole_set(args.grades, GRADES),
    )
    exporter = Exporter(images, labels, categories, settings)
    rows = Cursor(images_of_shards(args.pseudo_labels, PSEUDO_LABELS))
    grades = Cursor(images_of_shards(args.grades, GRADES, columns=VERDICT))
    progress = Progress("export", len(images))
    info = {"description": "Maskmill pseudo-labels", "maskmill": facts}
    with replacing(args.out) as temporary:
        with temporary.open("w", encoding="utf-8") as file:
            write_coco(file, info, images, categories, exporter.annotations(rows, grades, progress))
        check_left(exporter.counts)
        check_boxes(exporter.counts, settings)
        check_pseudo_labels(temporary, annotations=exporter.counts["written"])
    say("export", summary(exporter))


def checked_set(paths: Sequence[Path], images: pa.Table, labels: pa.Table) -> dict[str, Any]:
    """The header that all shards of table `pseudo_labels` share.

    Raises
    ------
    ValueError : they are not all, not made alike, or not about the objects of `labels`.
    """
    header = whole_set(paths, PSEUDO_LABELS)
    members = Members(images, labels)
    members.check_count(paths)
    for path in paths:
        members.check_labelled(path)
    return header


def check_left(counts: Counter[str]) -> None:
    """Raise ValueError where drop_below has left nothing to train on."""
    if counts["dropped"] and not counts["written"]:
        raise ValueError(
            f"drop_below leaves out all {counts['dropped']} labels, since no score reaches its "
            "`score`. Lower that in export.transforms."
        )


def check_boxes(counts: Counter[str], settings: Export) -> None:
    """Raise ValueError where masks are to agree with given boxes, and nobody gave any."""
    asks = any(step.name == "agreement" and step.box == "given" for step in settings.transforms)
    if asks and counts["written"] and not counts["boxed"]:
        raise ValueError(
            "no weak label has a box that a mask could agree with. Set box: refined for agreement "
            "in export.transforms."
        )


def summary(exporter: Exporter) -> Sentence:
    """The closing sentence of the log."""
    counts, shared = exporter.counts, exporter.numbering.shared
    text = (
        f"{len(exporter.image_ids)} images, {counts['written']} annotations, "
        f"{counts['untrusted']} of them with a box but no trusted mask "
        f"({counts['emptied']} emptied by merging), {counts['dropped']} dropped, "
        f"{counts['deleted']} weak labels deleted."
    )
    if shared:
        text += (
            f" {len(shared)} ids are of objects in several images (first: {shared[0]}): the first "
            "object keeps it, the others were numbered anew."
        )
    return text


if __name__ == "__main__":
    run("export", main)
