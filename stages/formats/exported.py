"""A pseudo-label file that `export` has written, one annotation at a time.

The file has one annotation per line, so its masks are checked without holding them all.
"""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from stages.formats.coco_lines import LineReader
from stages.geometry.codes import MOST_PIXELS
from stages.geometry.masks import checked_segmentation

HINT = (
    "It is cut, or another program has written it again: give the file as export has written it, "
    "or remove it and run snakemake again."
)


def check_pseudo_labels(path: Path, *, annotations: int) -> None:
    """Hold a written file against what `export` promises.

    Parameters
    ----------
    annotations : how many there must be.

    Raises
    ------
    RuntimeError : an annotation is missing or surplus, two have one id or are not in the order of
        images and instances, a mask does not decode to the size of its image, a trusted one is
        empty or not what area (and box, unless that was given) are of, or a box is not inside its
        image; the sentence names it.
    """
    sizes: dict[int, list[int]] = {}
    ids, last = set[int](), (-1, 0)
    for name, entry in lines_of(path):
        if name == "images":
            sizes[entry["id"]] = [entry["height"], entry["width"]]
        elif name == "annotations":
            key = entry["image_id"], entry["provenance"]["instance_id"]
            fault = _place_fault(key, last, is_twice=entry["id"] in ids)
            fault = fault or _fault(entry, sizes.get(entry["image_id"]))
            if fault:
                raise RuntimeError(f"pseudo-labels: annotation {entry['id']}: {fault}.")
            ids.add(entry["id"])
            last = key
    if len(ids) != annotations:
        raise RuntimeError(f"pseudo-labels: {len(ids)} annotations instead of {annotations}.")


def entries_of(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (name of the list, entry) of all entries, each annotation held against its image.

    Raises
    ------
    ValueError : as `lines_of`, or an annotation is none that `export` writes.
    """
    sizes: dict[Any, tuple[int, int]] = {}
    for name, entry in lines_of(path):
        fault = ""
        try:
            if name == "images":
                sizes[entry["id"]] = _size(entry)
            elif name == "annotations":
                fault = annotation_fault(entry, sizes)
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            fault = str(error) if type(error) is ValueError else f"it lacks something ({error!r})"
        if fault:
            told = f"{path}: {name[:-1]} {str(entry.get('id'))[:40]}: {fault.rstrip('.')}"
            raise ValueError(f"{told}. {HINT}")
        yield name, entry


def lines_of(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (name of the list, entry) for each line that holds an entry.

    Raises
    ------
    ValueError : the file is missing, or not as `export` writes it, line by line to its end: it is
        cut, written again by another program, or has other entries than it says.
    """
    if not path.is_file():
        raise ValueError(f"{path}: this file is missing. Run snakemake to make it.")
    lists = LineReader()
    try:
        with path.open(encoding="utf-8") as file:
            for line in file:
                entry = lists.entry(line)
                if entry is not None:
                    yield lists.name, entry
        lists.finish()
    except (ValueError, RecursionError) as error:
        reason = str(error).rstrip(".")[:200]
        raise ValueError(f"{path}: line {lists.number}: {reason}. {HINT}") from None


def label_counts(path: Path) -> dict[str, int]:
    """How many annotations a pseudo-label file has, how many of them without a trusted mask."""
    weights = [entry["mask_weight"] for name, entry in entries_of(path) if name == "annotations"]
    return {"annotations": len(weights), "without_mask": sum(not weight for weight in weights)}


def annotation_fault(entry: dict[str, Any], sizes: Mapping[Any, tuple[int, int]]) -> str:
    """What is wrong with the values that a reader takes of an annotation, or nothing.

    Parameters
    ----------
    sizes : (height, width) px of each image by id; masks must fill it, else pycocotools breaks.

    Raises
    ------
    LookupError, TypeError, AttributeError : a key is missing, or holds something else.
    ValueError : a mask is none of its image; the end of a sentence.
    """
    ids = (entry["id"], entry["image_id"], entry["category_id"], entry["provenance"]["instance_id"])
    if not all(type(number) is int for number in ids):
        return f"its ids {str(ids)[:80]} are no whole numbers"
    if entry["image_id"] not in sizes:
        return f"its image {entry['image_id']} is not in the file"
    numbers = {"score": [entry["score"]], "mask_weight": [entry["mask_weight"]]}
    for name, values in {**numbers, "bbox": entry["bbox"]}.items():
        if not all(type(value) in (int, float) and math.isfinite(value) for value in values):
            return f"its {name} is {str(values)[:60]}, which is no finite number"
    if len(entry["bbox"]) != 4 or entry["mask_weight"] < 0:
        return f"its bbox is {str(entry['bbox'])[:60]}, its mask_weight {entry['mask_weight']}"
    ignored = [entry["ignore_mask"]] if "ignore_mask" in entry else []
    for mask in (entry["segmentation"], *entry.get("extra_masks", ()), *ignored):
        mask["counts"].encode("ascii")
        checked_segmentation(mask, *sizes[entry["image_id"]])
    return ""


def _size(image: dict[str, Any]) -> tuple[int, int]:
    size = image["height"], image["width"]
    if not all(type(side) is int and side > 0 for side in (*size, image["id"] + 1)):
        raise ValueError(f"its id and size are {image['id']}, {size}")
    if not isinstance(image["file_name"], str) or size[0] * size[1] > MOST_PIXELS:
        raise ValueError(f"its name is no text, or its size {size} that of no photograph")
    return size


def _place_fault(key: tuple[int, int], last: tuple[int, int], *, is_twice: bool) -> str:
    """What is wrong with an annotation's id or place, or nothing; keys: (image, instance)."""
    if is_twice:
        return "its id is there twice"
    return f"(image, instance) {key} comes after {last}" if key <= last else ""


def _fault(entry: dict[str, Any], size: list[int] | None) -> str:
    """What is wrong with one annotation, or nothing."""
    if size is None:
        return f"its image {entry['image_id']} is not in the file"
    mask = coco_mask.decode(entry["segmentation"])  # (height, width)
    if list(mask.shape) != size:
        return f"its mask is {list(mask.shape)} px, its image {size}"
    if not 0 <= entry["mask_weight"] < math.inf:
        return f"mask_weight {entry['mask_weight']} is no number from 0 on"
    if not entry["mask_weight"]:
        return _box_fault(entry, size) or _box_area_fault(entry) or _reason_fault(entry)
    if entry["provenance"]["box_given"]:
        return _box_fault(entry, size) or _mask_fault(entry, mask)
    return _mask_fault(entry, mask) or _hull_fault(entry, mask)


def _reason_fault(entry: dict[str, Any]) -> str:
    """What is missing where the mask is not trusted: why."""
    return "" if entry.get("untrusted") else "mask_weight 0, and no word of why"


def _mask_fault(entry: dict[str, Any], mask: np.ndarray) -> str:
    """What is wrong where the mask is trusted: it has pixels, and gives the area."""
    if not mask.any():
        return f"a mask without pixels has mask_weight {entry['mask_weight']}"
    if entry["area"] != int(mask.sum()):
        return f"area {entry['area']} for {int(mask.sum())} pixels"
    return ""


def _hull_fault(entry: dict[str, Any], mask: np.ndarray) -> str:
    """What is wrong where the box is that of the mask's pixels."""
    hull = _hull(mask)
    return "" if entry["bbox"] == hull else f"bbox {entry['bbox']} for the hull {hull}"


def _box_fault(entry: dict[str, Any], size: list[int]) -> str:
    """What is wrong with a box that is not the mask's: it lies in the image."""
    x, y, width, height = entry["bbox"]
    inside = x >= 0 and y >= 0 and x + width <= size[1] + 0.01 and y + height <= size[0] + 0.01
    return "" if inside and width > 0 and height > 0 else f"bbox {entry['bbox']} is not inside"


def _box_area_fault(entry: dict[str, Any]) -> str:
    """What is wrong where the box alone is trained: it gives the area."""
    area = round(entry["bbox"][2] * entry["bbox"][3], 2)
    return "" if entry["area"] == area else f"area {entry['area']} for a box of {area} px"


def _hull(mask: np.ndarray) -> list[float]:
    """Box of the pixels set, at least one, xywh px."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    spans = columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1
    return [float(value) for value in (columns[0], rows[0], *spans)]
