"""The metrics as one plain-text table with aligned columns. Pure: a dictionary in, text out."""

from collections.abc import Mapping, Sequence
from typing import Any

from stages.metrics.coco_ap import NUMBERS
from stages.metrics.curves import VOC_IOUS as IOUS
from stages.metrics.drop_rates import CONVENTIONS
from stages.metrics.mask_quality import STATISTICS
from stages.mil.trivial import SLOTS
from stages.reporting.columns import aligned, number_text
from stages.reporting.match_table import is_matched, match_blocks, tag_lines

LABELS = {
    "random": "random (mean of the bag)",
    "largest": "largest",
    "median_area": "median area",
    "sam_top1": "sam_top1",
    "psm": "PSM",
    "prm": "PRM",
    "prm_bms": "PRM+BMS",
    "pseudo_label": "pseudo-label",
    "trusted": "trusted pseudo-label",
    "best_in_bag": "best in the bag (ceiling)",
}
HOOKS = {  # of a training's facts: what the number is
    "dropped": "of RoIs dropped",
    "dropped_objects": "of those with an object",
    "pasted": "instances pasted per image",
}
HEADS = {  # of STATISTICS; another has its own name for a head
    "box_iou": "box IoU",
    "mask_iou": "mask IoU",
    "mask_iou_50": ">=0.5",
    "mask_iou_75": ">=0.75",
}
CLASS_HEADS = ("mIoU*", "all", "Gap")
LEGEND = (
    "mIoU*: mean over classes of their mean mask IoU; all: classes without objects count as 0.\n"
    "Gap: mask area / box area, choice less object, where a bag's largest is above the mean."
)
FORETOLD = {  # of `trust`: who foretells how good a label is
    "score": "score (graded)",
    "mask_quality": "mask_quality (graded)",
    "method_score": "the method's own score",
    "predicted_iou": "the segmenter's predicted IoU",
}
TRUST = {  # of what is measured of each: its head
    "iou_error": "error, IoU",
    "good_error": "error, >=0.5",
    "auroc": "AUROC >=0.5",
    "spearman": "Spearman",
}
CONVENTION_HEADS = {"half_open": "half-open", "authors": "BoxCaseg's + 1"}
AP_NAMES = {"bbox": "box", "segm": "mask"}
FACTS = ("engine", "images", "annotations", "masks_ignored", "steps", "last_loss")


def metrics_table(metrics: Mapping[str, Any]) -> str:
    """The text that `evaluate` prints; a line says what was not measured."""
    labels = match_blocks(metrics) if is_matched(metrics) else _label_block(metrics)
    labels += [*_trust_block(metrics), *_label_ap_block(metrics), *_drop_block(metrics)]
    labels += tag_lines(metrics)
    blocks = [*labels, *_training_block(metrics), *_detector_block(metrics)]
    return "\n\n".join(blocks) + "\n"


def ordered(choices: Sequence[str]) -> list[str]:
    """Names of choices from the trivial ones over a method's own steps to the ceiling."""
    slots = sorted(name for name in choices if name.startswith(SLOTS))
    steps = [name for name in choices if name not in LABELS and name not in slots]
    first, last = list(LABELS)[:3], list(LABELS)[3:]
    place = last.index("pseudo_label")
    names = [*first, *slots, *last[:place], *steps, *last[place:]]
    return [name for name in names if name in choices]


def _label_block(metrics: Mapping[str, Any]) -> list[str]:
    quality = metrics["label_quality"]
    if metrics["bms_rules"] is None:
        return ["Label quality: not measured, since no tables of proposals and choices were given."]
    if quality is None:
        return ["Label quality: not measured, since there is no ground truth."]
    counts = metrics["counts"]
    title = f"Label quality on {counts['scored']} objects in {counts['images']} images"
    if counts["given"]:
        title += f"; {counts['given']} masks were given and are not scored"
    heads = [HEADS.get(name, name.replace("_", " ")) for name in STATISTICS]
    rows: list[tuple[str, ...]] = [("choice", "objects", *heads, *CLASS_HEADS)]
    for name in ordered(list(quality["choices"])):
        entry, star = quality["choices"][name], quality["choices"][name]["miou_star"]
        values = [*(entry[key] for key in STATISTICS), star["present"], star["all"]]
        values.append(quality["gap"][name]["gap"])
        rows.append((_label_of(name), str(entry["n"]), *map(number_text, values)))
    return [f"{title}\n{aligned(rows)}\n{LEGEND}", _size_block(quality)]


def _label_ap_block(metrics: Mapping[str, Any]) -> list[str]:
    """What a detector would reach that repeats the labels."""
    found = metrics.get("label_ap")
    if not found:
        return []
    title = f"{found['labels']} labels as if they were detections of the training images"
    return [f"{title}\n{_by_kind(found, NUMBERS)}"]


def _drop_block(metrics: Mapping[str, Any]) -> list[str]:
    """What the agreement rule would drop, where boxes were given."""
    found = metrics.get("box_agreement")
    if not found:
        return []
    head = ("IoU of boxes not above", *(f"{limit:g}" for limit in found["thresholds"]))
    rows = [(CONVENTION_HEADS[name], *map(number_text, found[name])) for name in CONVENTIONS]
    title = f"Share of {found['n']} masks that the agreement with a given box would drop"
    return [f"{title}\n{aligned([head, *rows])}"]


def _size_block(quality: Mapping[str, Any]) -> str:
    """Mask IoU of each choice for objects of each size."""
    sizes, choices = quality["sizes"], quality["choices"]
    counts = choices.get("random", {"by_size": {}})["by_size"]
    rows = [("objects", *(str(counts.get(size, {"n": 0})["n"]) for size in sizes))]
    for name in ordered(list(choices)):
        found = choices[name]["by_size"]
        values = [found.get(size, {}).get("mask_iou") for size in sizes]
        rows.append((_label_of(name), *map(number_text, values)))
    head = "Mask IoU by share of the image's area"
    return f"{head}\n{aligned([('choice', *sizes), *rows])}"


def _label_of(name: str) -> str:
    return LABELS.get(name, name.replace("_", " "))


def _trust_block(metrics: Mapping[str, Any]) -> list[str]:
    """What numbers are worth that foretell how good a label is."""
    found = metrics.get("trust")
    if not found:
        return []
    rows: list[tuple[str, ...]] = [("foretold by", "labels", *TRUST.values())]
    for name, label in FORETOLD.items():
        values = [number_text(found[name][key]) for key in TRUST]
        rows.append((label, str(found[name]["n"]), *values))
    title = "How far scores can be trusted: calibration errors of 10 bins, and ranking"
    return [f"{title}\n{aligned(rows)}"]


def _training_block(metrics: Mapping[str, Any]) -> list[str]:
    facts = metrics["training"]
    if facts is None:
        return []
    shown = [f"{name.replace('_', ' ')} {facts[name]}" for name in FACTS[1:-1]]
    shown.append(f"last loss {facts['last_loss']:.3f}")
    for name, what in HOOKS.items():
        if facts.get(name) is not None:
            shown.append(f"{facts[name]:.3f} {what}")
    return [f"Training with {facts['engine']}: {', '.join(shown)}."]


def _detector_block(metrics: Mapping[str, Any]) -> list[str]:
    detector = metrics["detector"]
    if detector is None:
        return ["Detector: not measured, since there are no held-out images with predictions."]
    title = (
        f"Detector on {detector['images']} held-out images, {detector['objects']} objects, "
        f"{detector['detections']} detections"
    )
    voc = detector["voc"]
    grid = f"mAP at one IoU, precision read at {voc['recall_points']} recalls"
    return [
        f"{title}\n{_by_kind(detector, NUMBERS)}",
        f"{grid}\n{_by_kind(voc, list(IOUS))}",
        _class_block(detector, metrics["categories"]),
    ]


def _by_kind(numbers: Mapping[str, Any], names: Sequence[str]) -> str:
    """A row for boxes and one for masks."""
    rows: list[tuple[str, ...]] = [("", *names)]
    for kind, label in AP_NAMES.items():
        values = numbers[kind] or {}
        rows.append((label, *(number_text(values.get(name)) for name in names)))
    return aligned(rows)


def _class_block(detector: Mapping[str, Any], categories: Mapping[str, str]) -> str:
    rows: list[tuple[str, ...]] = [("class", "objects", "box AP", "mask AP")]
    for key, count in detector["objects_per_class"].items():
        values = [(detector[kind] or {"per_class": {}})["per_class"].get(key) for kind in AP_NAMES]
        rows.append((categories.get(key, key), str(count), *map(number_text, values)))
    return aligned(rows)
