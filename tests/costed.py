"""Metrics of kinds of labels, and tables of their weak labels, as label_cost reads them."""

from pathlib import Path
from typing import Any

from stages.tables.categories import CATEGORIES
from stages.tables.table import rows_table, write_table
from stages.tables.weak_labels import WEAK_LABELS
from tests.measured import detected, measured


def pointed_metrics(ap: float, **more: Any) -> dict[str, Any]:
    """Of labels that come from known objects: mask AP of the detector, and that of the labels."""
    found = measured({"pseudo_label": 0.5 + ap / 2}, detector=ap, label_ap=ap + 0.1)
    found["counts"] |= {"instances": 42, "without_truth": 2, "given": 0}
    return {**found, **more}


def tagged_metrics(ap: float, objects: int = 40) -> dict[str, Any]:
    """Of labels that find their object by IoU."""
    return {
        "counts": {"images": 5, "scored": objects, "instances": 0},
        "label_quality": None,
        "label_match": {"images": 5},
        "label_ap": {"segm": {"AP": ap - 0.1}, "bbox": {"AP": 0.1}},
        "detector": detected(ap),
    }


def supervised_metrics(ap: float, masks: int = 40) -> dict[str, Any]:
    """Of a detector that learnt from so many true masks."""
    return {
        "counts": {"images": 5, "scored": 0, "instances": 42},
        "label_quality": None,
        "label_match": None,
        "label_ap": None,
        "training": {"annotations": masks},
        "detector": detected(ap),
    }


def write_labels(path: Path, kinds: dict[str, int], *, classes: int = 2) -> Path:
    """A table of weak labels, so many of each kind in turn in the classes of image 1."""
    names = [kind for kind, count in kinds.items() for _ in range(count)]
    rows = [label(number, kind, 1 + number % classes) for number, kind in enumerate(names)]
    write_table(path, rows_table(WEAK_LABELS, rows), WEAK_LABELS, {})
    return path


def label(number: int, kind: str, category_id: int, *, status: str = "given") -> dict[str, Any]:
    """A row of table weak_labels."""
    of_object = None if kind == "tag" else number
    return {
        **{"image_id": 1, "label_id": number, "kind": kind, "category_id": category_id},
        **{"instance_id": of_object, "bag_id": -1 if kind == "tag" else number},
        **{"x": 1.0 if kind == "point" else None, "y": 1.0 if kind == "point" else None},
        "box": [0.0, 0.0, 2.0, 2.0] if kind in ("box", "mask") else None,
        "rle": b"04" if kind == "mask" else None,
        "status": status,
    }


def write_classes(path: Path, count: int) -> Path:
    """A table of so many classes."""
    rows = [{"category_id": n + 1, "name": f"c{n}", "supercategory": ""} for n in range(count)]
    write_table(path, rows_table(CATEGORIES, rows), CATEGORIES, {})
    return path
