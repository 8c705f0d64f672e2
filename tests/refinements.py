"""A small folder of what export reads, and export run on it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc

from stages import export
from stages.geometry.masks import masks_to_rles, rle_boxes
from stages.tables.categories import CATEGORIES
from stages.tables.images import IMAGES
from stages.tables.refinements import REFINEMENTS
from stages.tables.table import empty_table, table_of, write_table
from stages.tables.weak_labels import WEAK_LABELS

SIZES = {3: (20, 30), 5: (16, 16), 8: (24, 18), 9: (8, 8)}
INSTANCES = [(3, 11), (3, 12), (5, 4), (8, 40), (8, 41), (8, 45)]


def disc(size: tuple[int, int], seed: int) -> np.ndarray:
    """(height, width) uint8, somewhere in the image."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices(size)
    y, x = rng.uniform(4, min(size) - 4, 2)
    return ((rows - y) ** 2 + (columns - x) ** 2 < rng.uniform(4, 30)).astype(np.uint8)


def refinement(
    image_id: int, instance_id: int, mask: np.ndarray | None = None, score: float = 0.5
) -> dict[str, Any]:
    """A row of table `refinements`; without a mask that of a disc."""
    size = SIZES[image_id]
    masks = np.stack([disc(size, instance_id + k) for k in range(4)])
    if mask is not None:
        masks[0] = mask
    rles = masks_to_rles(masks)
    box = rle_boxes(rles[:1])[0].tolist() if masks[0].any() else [1.0, 2.0, 7.25, 9.5]
    return {
        "image_id": image_id,
        "instance_id": instance_id,
        "box_psm": box,
        "box_select": box,
        "box_prm": box,
        "bms_rule": "overlap",
        "mask_source": "proposal",
        "proposal_id": 2,
        "proposal_id_select": 1,
        "rle": rles[0]["counts"],
        "height": size[0],
        "width": size[1],
        "score": 0.25,
        "bag_score": score,
        "extra_rles": [rle["counts"] for rle in rles[1:]],
    }


def write_folder(
    folder: Path,
    rows: list[dict[str, Any]],
    given: Mapping[int, list[float]] | None = None,
) -> None:
    """The tables that export reads: four images, six weak labels, `rows` in one shard and in four.

    given : xyxy box of the weak label of an instance; the others are points alone.
    """
    images = {
        "image_id": list(SIZES),
        "file_name": [f"{number}.png" for number in SIZES],
        "height": [size[0] for size in SIZES.values()],
        "width": [size[1] for size in SIZES.values()],
        "shard": [0] * 4,
    }
    labels = {
        "image_id": [image for image, _ in INSTANCES],
        "instance_id": [instance for _, instance in INSTANCES],
        "category_id": [1, 7, 1, 1, 7, 7],
        "kind": ["point"] * 6,
        "x": [5.5] * 6,
        "y": [6.25] * 6,
        "box": [(given or {}).get(instance) for _, instance in INSTANCES],
    }
    categories = {"category_id": [1, 2, 7], "name": list("abc"), "supercategory": [""] * 3}
    for name, record, values in (
        ("images", IMAGES, images),
        ("weak_labels", WEAK_LABELS, labels),
        ("categories", CATEGORIES, categories),
    ):
        write_table(folder / f"{name}.parquet", table_of(record, values), record, {})
    columns = {name: [row[name] for row in rows] for name in REFINEMENTS.schema.names}
    table = table_of(REFINEMENTS, columns) if rows else empty_table(REFINEMENTS)
    for count in (1, 4):
        for shard in range(count):
            ids = sorted(SIZES)[shard::count]
            part = table.filter(pc.is_in(table.column("image_id"), pc.cast(ids, "int64")))
            path = folder / f"shard-{shard}-of-{count}.parquet"
            write_table(path, part, REFINEMENTS, {"seed": 3})


def run_export(folder: Path, shards: int = 1, **settings: Any) -> dict[str, Any]:
    """The pseudo-label file made of the folder's shards."""
    out = folder / f"labels-{shards}.json"
    words = ["--out", str(out), "--settings", json.dumps(settings)]
    for name in ("images", "weak-labels", "categories"):
        words += [f"--{name}", str(folder / f"{name.replace('-', '_')}.parquet")]
    words += ["--refinements", *(str(p) for p in sorted(folder.glob(f"shard-*-of-{shards}.*")))]
    export.main(words)
    return json.loads(out.read_text())  # type: ignore[no-any-return]
