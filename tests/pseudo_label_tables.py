"""A small folder of what export reads, and export run on it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stages import export
from stages.geometry.masks import masks_to_rles, rle_boxes
from stages.tables.categories import CATEGORIES
from stages.tables.grades import GRADES
from stages.tables.images import IMAGES
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.weak_labels import WEAK_LABELS
from tests.sound_rows import (
    Row,
    category_row,
    image_row,
    label_row,
    own_grades,
    pseudo_label_row,
    write_rows,
    write_shards,
)

SIZES = {3: (20, 30), 5: (16, 16), 8: (24, 18), 9: (8, 8)}
INSTANCES = [(3, 11), (3, 12), (5, 4), (8, 40), (8, 41), (8, 45)]
CLASSES = {11: 1, 12: 7, 4: 1, 40: 1, 41: 7, 45: 7}
COUNTS = (1, 4)  # of shards
EMPTY_BOX = [1.0, 2.0, 7.25, 9.5]  # that stands for an empty mask


def disc(size: tuple[int, int], seed: int) -> np.ndarray:
    """(height, width) uint8, somewhere in the image."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices(size)
    y, x = rng.uniform(4, min(size) - 4, 2)
    return ((rows - y) ** 2 + (columns - x) ** 2 < rng.uniform(4, 30)).astype(np.uint8)


def pseudo_label_of_disc(
    image_id: int, instance_id: int, mask: np.ndarray | None = None, **changes: Any
) -> Row:
    """A row of table `pseudo_labels`; without a mask that of a disc."""
    size = SIZES[image_id]
    masks = np.stack([disc(size, abs(instance_id) + k) for k in range(4)])
    if mask is not None:
        masks[0] = mask
    rles = masks_to_rles(masks)
    box = rle_boxes(rles[:1])[0].tolist() if masks[0].any() else EMPTY_BOX
    row = {"rle": rles[0]["counts"], "extra_rles": [rle["counts"] for rle in rles[1:]], "box": box}
    row |= {"height": size[0], "width": size[1], "proposal_id": 2}
    row |= {"category_id": CLASSES.get(instance_id, 1)}
    return pseudo_label_row(image_id, instance_id, **{**row, **changes})


def points() -> list[Row]:
    """A point for each of INSTANCES."""
    at = {"x": 5.5, "y": 6.25}
    return [
        label_row(image, number, category_id=CLASSES[number], **at) for image, number in INSTANCES
    ]


def write_folder(
    folder: Path,
    rows: Sequence[Row],
    labels: Sequence[Row] | None = None,
    grades: Sequence[Row] | None = None,
    **header: Any,
) -> None:
    """The tables that export reads, `rows` in one shard and in four.

    grades : rows of table `grades`; by default what the methods say.
    labels : rows of table `weak_labels`; by default a point for each of `rows`.
    header : provenance of the shards.
    """
    wanted = {row["instance_id"] for row in rows}
    given = [row for row in points() if row["instance_id"] in wanted] if labels is None else labels
    classes = [
        category_row(number, name=name) for number, name in zip((1, 2, 7), "abc", strict=True)
    ]
    write_rows(folder / "weak_labels.parquet", WEAK_LABELS, given)
    write_rows(folder / "categories.parquet", CATEGORIES, classes)
    for count in COUNTS:
        images = [
            image_row(number, height=height, width=width, shard=number % count)
            for number, (height, width) in SIZES.items()
        ]
        write_rows(folder / f"images-{count}.parquet", IMAGES, images)
        write_shards(folder, "shard", PSEUDO_LABELS, rows, count, **header)
        graded = own_grades(rows) if grades is None else grades
        write_shards(folder, "grades", GRADES, graded, count)


def run_export(
    folder: Path, shards: int = 1, paths: Sequence[Path] | None = None, **settings: Any
) -> dict[str, Any]:
    """The pseudo-label file made of the folder's shards, or of other `paths`."""
    out = folder / f"labels-{shards}.json"
    words = ["--out", str(out), "--settings", json.dumps(settings)]
    words += ["--images", str(folder / f"images-{shards}.parquet")]
    for name in ("weak-labels", "categories"):
        words += [f"--{name}", str(folder / f"{name.replace('-', '_')}.parquet")]
    shown = paths or sorted(folder.glob(f"shard-*-of-{shards:04d}.parquet"))
    grades = sorted(folder.glob(f"grades-*-of-{shards:04d}.parquet"))
    export.main([*words, "--pseudo-labels", *map(str, shown), "--grades", *map(str, grades)])
    return json.loads(out.read_text())  # type: ignore[no-any-return]


def boxed(rows: Sequence[Row], given: Mapping[int, list[float]]) -> list[Row]:
    """Rows of table `pseudo_labels` whose objects were given these boxes, xyxy px."""
    return [
        {**row, "box": given[row["instance_id"]], "box_given": True}
        if row["instance_id"] in given
        else row
        for row in rows
    ]
