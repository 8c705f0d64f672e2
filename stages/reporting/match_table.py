"""What was measured by IoU, as blocks of text: labels, proposals, and the tags' detections.

Pure: metrics.json in, text out.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from stages.metrics.corloc import OUTCOMES
from stages.metrics.matching import BOXES, MASKS, RATES
from stages.metrics.misfits import MISFITS
from stages.metrics.proposal_recall import RECALLS
from stages.metrics.voc_ap50 import READINGS
from stages.reporting.columns import aligned, number_text

Numbers = Mapping[str, Any]
Rows = list[Sequence[str]]

MATCHED = ("label_match", "proposals", "wsod")  # of metrics.json, of which any is measured by IoU
KINDS = {BOXES: "boxes", MASKS: "masks"}
RATE_HEADS = {**{name: name for name in RATES[:2]}, "f1": "F1"}
IOU_HEADS = {"label_iou": "per label", "object_iou": "per object", "matched_iou": "of pairs"}
RECALL_HEADS = {name: f"IoU {limit:g}" for name, limit in RECALLS.items()}
AP_HEADS = dict(zip(READINGS, ("AP50 at 11", "AP50 area"), strict=True))
HEADS = ("corloc", "corloc_two_branch")
HEAD_NAMES = {"corloc": "refined score", "corloc_two_branch": "two-branch head alone"}
LEGEND = (
    "per label: mean IoU with the best object of the class; per object: with its own label, missed "
    "ones 0.\nExtra labels: part: most of it inside an object, little of that covered; too large: "
    "most of an object covered."
)
WSOD_LEGEND = (
    "CorLoc: share of tags whose best box has IoU 0.5 with an object, mean over classes; what is "
    "wrong as shares of all tags.\nAP50 is of selected boxes; classes beyond the tags have none."
)


def is_matched(metrics: Numbers) -> bool:
    """Whether anything was measured by IoU."""
    return any(metrics.get(name) for name in MATCHED)


def match_blocks(metrics: Numbers) -> list[str]:
    """Blocks for what `evaluate.match: iou` measured."""
    names = metrics["categories"]
    made = []
    if metrics["label_match"]:
        made += _label_blocks(metrics["label_match"], names)
    if metrics["proposals"]:
        made += _proposal_blocks(metrics["proposals"], names)
    if metrics["wsod"]:
        made += _wsod_blocks(metrics["wsod"], names)
    return made


def tag_lines(metrics: Numbers) -> list[str]:
    """A line on tags, where there are any; with `match: instance`, that they are not scored."""
    tags = metrics.get("tags")
    if not tags:
        return []
    if "labels" not in tags:
        return [_tag_line(tags)]
    return [
        f"{tags['labels']} pseudo-labels of {tags['tags']} tags in {tags['images']} images come "
        "from no object of their own and are not scored; evaluate.match: iou scores them."
    ]


def _label_blocks(match: Numbers, names: Mapping[str, str]) -> list[str]:
    counts = match[MASKS] or match[BOXES]
    left = f"; {counts['ignored']} on crowds are left out" if counts["ignored"] else ""
    title = (
        f"Labels matched by IoU >= 0.5 within image and class: {counts['labels']} labels, "
        f"{counts['objects']} objects in {match['images']} images{left}"
    )
    heads = ("matched", "missed", "extra", *RATE_HEADS.values(), *IOU_HEADS.values())
    rows: Rows = [("", *heads, *map(_spaced, MISFITS))]
    for kind, label in KINDS.items():
        if match[kind]:
            rows.append((label, *_match_cells(match[kind])))
            mean = match[kind]["class_mean"]
            values = [mean[name] for name in (*RATES, *IOU_HEADS)]
            cells = [*["-"] * 3, *map(number_text, values), *["-"] * len(MISFITS)]
            rows.append((f"{label}, mean over classes", *cells))
    if not match[MASKS]:
        title += "; masks are not compared, since not all have one"
    return [f"{title}\n{aligned(rows)}\n{LEGEND}", _label_classes(match, names)]


def _match_cells(numbers: Numbers) -> list[str]:
    counts = [str(numbers[name]) for name in ("matched", "missed", "extra")]
    means = [number_text(numbers[name]) for name in (*RATES, *IOU_HEADS)]
    return [*counts, *means, *(str(numbers[name]) for name in MISFITS)]


def _label_classes(match: Numbers, names: Mapping[str, str]) -> str:
    kind = MASKS if match[MASKS] else BOXES
    heads = (*RATE_HEADS.values(), *IOU_HEADS.values(), *map(_spaced, MISFITS))
    rows: Rows = [(f"class, by {KINDS[kind]}", "labels", "objects", *heads)]
    for key, entry in match[kind]["per_class"].items():
        counts = (str(entry["labels"]), str(entry["objects"]))
        rows.append((names.get(key, key), *counts, *_match_cells(entry)[3:]))
    return aligned(rows)


def _tag_line(tags: Numbers) -> str:
    text = f"Tags: {tags['tags']} in {tags['images']} images"
    if tags["without_label"] is not None:
        text += f", {tags['without_label']} of them without any label of their class"
    if tags["without_object"]:
        text += f"; {tags['without_object']} name a class without an object and are not judged"
    if tags["untagged"]:
        text += f"; {tags['untagged']} objects are of a class that their image has no tag of"
    return f"{text}."


def _proposal_blocks(recall: Numbers, names: Mapping[str, str]) -> list[str]:
    title = (
        f"Proposals: {number_text(recall['per_image'])} an image in {recall['images']} images, "
        f"{recall['images_without']} without any; one-to-one recall of {recall['n']} objects"
    )
    rows: Rows = [("class", "objects", *RECALL_HEADS.values())]
    entries = [("all", recall), *((names.get(k, k), e) for k, e in recall["per_class"].items())]
    for name, entry in entries:
        rows.append((name, str(entry["n"]), *(number_text(entry[key]) for key in RECALLS)))
    return [f"{title}\n{aligned(rows)}"]


def _wsod_blocks(wsod: Numbers, names: Mapping[str, str]) -> list[str]:
    average = wsod["ap50"]
    title = (
        f"Detections of tags on the training images, their tags known: {wsod['images']} images, "
        f"{wsod['corloc']['n']} tags, {average['detections']} boxes selected"
    )
    rows: Rows = [("", "CorLoc", *map(_spaced, OUTCOMES), *AP_HEADS.values())]
    for key in HEADS:
        if wsod[key]:
            values = [average[name] if key == HEADS[0] else None for name in READINGS]
            cells = [*_corloc_cells(wsod[key]), *map(number_text, values)]
            rows.append((HEAD_NAMES[key], *cells))
    return [f"{title}\n{aligned(rows)}\n{WSOD_LEGEND}", _wsod_classes(wsod, names)]


def _corloc_cells(entry: Numbers) -> list[str]:
    shares = [entry[name] / entry["n"] if entry["n"] else None for name in OUTCOMES]
    return [number_text(entry["corloc"]), *map(number_text, shares)]


def _wsod_classes(wsod: Numbers, names: Mapping[str, str]) -> str:
    rows: Rows = [("class", "tags", "CorLoc", *map(_spaced, OUTCOMES), *AP_HEADS.values())]
    averages = wsod["ap50"]["per_class"]
    for key, entry in wsod["corloc"]["per_class"].items():
        values = [averages.get(key, {}).get(name) for name in READINGS]
        cells = [*_corloc_cells(entry), *map(number_text, values)]
        rows.append((names.get(key, key), str(entry["n"]), *cells))
    return aligned(rows)


def _spaced(name: str) -> str:
    return name.replace("_", " ")
