"""The metrics as one plain-text table with aligned columns. Pure: a dictionary in, text out."""

from collections.abc import Mapping, Sequence
from typing import Any

from stages.metrics.mask_quality import STATISTICS
from stages.mil.trivial import SLOTS

LABELS = {
    "random": "random (mean of the bag)",
    "largest": "largest",
    "median_area": "median area",
    "sam_top1": "sam_top1",
    "psm": "PSM",
    "prm": "PRM",
    "prm_bms": "PRM+BMS",
    "pseudo_label": "pseudo-label",
    "best_in_bag": "best in the bag (ceiling)",
}
HEADS = ("objects", "box IoU", "mask IoU", ">=0.5", ">=0.75", "group", "local")
DETECTOR = ("AP", "AP50", "AP75", "APs", "APm", "APl")


def metrics_table(metrics: Mapping[str, Any]) -> str:
    """The text that `evaluate` prints; a line says what was not measured."""
    return "\n\n".join([*_label_block(metrics), *_detector_block(metrics)]) + "\n"


def ordered(choices: Sequence[str]) -> list[str]:
    """Names of choices from the trivial ones to the ceiling."""
    slots = sorted(name for name in choices if name.startswith(SLOTS))
    names = [*list(LABELS)[:3], *slots, *list(LABELS)[3:]]
    return [name for name in names if name in choices]


def _label_block(metrics: Mapping[str, Any]) -> list[str]:
    quality = metrics["label_quality"]
    if metrics["bms_rules"] is None:
        return ["Label quality: not measured, since no tables of proposals and choices were given."]
    if quality is None:
        return ["Label quality: not measured, since there is no ground truth."]
    counts = metrics["counts"]
    title = f"Label quality on {counts['scored']} objects in {counts['images']} images"
    rows: list[tuple[str, ...]] = [("choice", *HEADS)]
    for name in ordered(list(quality["choices"])):
        entry = quality["choices"][name]
        label = LABELS.get(name, name.replace("_", " "))
        rows.append((label, str(entry["n"]), *(_text(entry[key]) for key in STATISTICS)))
    return [f"{title}\n{_aligned(rows)}"]


def _detector_block(metrics: Mapping[str, Any]) -> list[str]:
    detector = metrics["detector"]
    if detector is None:
        return ["Detector: not measured, since there are no held-out images with predictions."]
    title = (
        f"Detector on {detector['images']} held-out images, {detector['objects']} objects, "
        f"{detector['detections']} detections"
    )
    rows: list[tuple[str, ...]] = [("", *DETECTOR)]
    for kind, label in (("bbox", "box"), ("segm", "mask")):
        numbers = detector[kind] or {}
        rows.append((label, *(_text(numbers.get(name)) for name in DETECTOR)))
    return [f"{title}\n{_aligned(rows)}"]


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    """First column to the left, numbers to the right."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = []
    for first, *rest in rows:
        cells = [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
        lines.append("  ".join([first.ljust(widths[0]), *cells]).rstrip())
    return "\n".join(lines)
