"""A file of pseudo-labels as `export` writes it, small: holes, fragments, overlap, a lone box."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stages.formats.coco_writing import write_entries
from stages.geometry.masks import masks_to_rles
from tests.pseudo_labels import rectangle_mask

Entry = dict[str, Any]
SIZE = (20, 30)  # height, width
IMAGES = [
    {"id": number, "file_name": name, "height": SIZE[0], "width": SIZE[1]}
    for number, name in ((4, "sub/a.b.jpg"), (5, "empty.png"), (7, "ü <&>.png"))
]
CATEGORIES = [
    {"id": number, "name": name, "supercategory": ""}
    for number, name in ((3, "dog & <co>"), (0, "cat"), (9, "unseen"))
]
RING = rectangle_mask(SIZE, (2, 3, 12, 11))
RING[5:8, 4:7] = False  # a hole
PARTS = rectangle_mask(SIZE, (0, 15, 4, 20), (20, 0, 30, 2))
SMALL = rectangle_mask(SIZE, (9, 9, 14, 12))  # over the ring's corner
MASKS = [RING, PARTS, SMALL]


def annotation(number: int, image: int, mask: np.ndarray, **more: Any) -> Entry:
    """An annotation of class 0, trusted."""
    rle = masks_to_rles(mask[None])[0]
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    x0, y0, x1, y1 = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    return {
        **{"id": number, "image_id": image, "category_id": 0, "iscrowd": 0, "score": 0.75},
        **{"bbox": [float(v) for v in (x0, y0, x1 - x0, y1 - y0)], "area": int(mask.sum())},
        "segmentation": {"size": list(SIZE), "counts": rle["counts"].decode()},
        **{"mask_weight": 1.0, "provenance": {"instance_id": number, "box_given": False}},
        **more,
    }


def lone_box(number: int, image: int) -> Entry:
    """An annotation whose mask, though there, is not trusted; its box has fractions."""
    facts = {"mask_weight": 0.0, "bbox": [1.5, 2.25, 28.5, 10.0], "area": 285.0}
    return annotation(number, image, RING, category_id=3, untrusted="a reason", **facts)


def usual() -> list[Entry]:
    """Annotations of the first and the last image."""
    first = [annotation(n, 4, mask) for n, mask in enumerate(MASKS, start=11)]
    return [*first, lone_box(21, 7), annotation(22, 7, SMALL, category_id=3)]


def write_labels(
    folder: Path,
    annotations: Iterable[Entry],
    images: Sequence[Entry] = IMAGES,
    categories: Sequence[Entry] = CATEGORIES,
) -> Path:
    """Write the file, whose path comes back."""
    path = folder / "pseudo_labels.json"
    with path.open("w", encoding="utf-8") as file:
        write_entries(file, {"description": "made"}, images, categories, annotations)
    return path


def write_lines(
    path: Path,
    annotations: Sequence[Entry],
    images: Sequence[Entry] = (),
    categories: Sequence[Entry] = (),
    info: str = "{}",
) -> Path:
    """The same with any values, even those that the writer refuses."""
    lists = {"images": images, "categories": categories, "annotations": annotations}
    parts = [f'{{"info": {info},', '"licenses": [],']
    for name, entries in lists.items():
        parts += [f'"{name}": [', *filter(None, [",\n".join(map(json.dumps, entries))]), "],"]
    counts = {name: len(entries) for name, entries in lists.items()}
    path.write_text("\n".join([*parts, f'"counts": {json.dumps(counts)}}}\n']))
    return path
