"""The ablation of labels that were matched by IoU, as GitHub Markdown. Pure: numbers in, text out.

What `ablation_table` is for labels whose objects are known. Shares are printed in %, proposals as
their number.
"""

from collections.abc import Mapping
from typing import Any

from stages.metrics.matched_ablation import OF_DETECTIONS, OF_LABELS, OF_PROPOSALS
from stages.reporting.ablation_table import detector_blocks
from stages.reporting.markdown import PERCENT, POINTS, Format, escaped, gain, grid, per_seed, spread

Numbers = Mapping[str, Any]

COUNT, MORE = Format(1, 1), Format(1, 1, "+")
FORMS = {"per_image": COUNT}  # of a measure, where it is not PERCENT
GAIN_FORMS = {"per_image": MORE}  # where it is not POINTS
HEADS = {  # measure: head of its column
    "f1": "F1",
    "precision": "precision",
    "recall": "recall",
    "label_iou": "mask IoU",
    "object_iou": "of objects",
    "corloc_two_branch": "CorLoc, two-branch",
    "corloc": "CorLoc",
    "ap50_11": "AP50, 11 points",
    "ap50_area": "AP50, area",
    "recall_50": "recall .5",
    "recall_75": ".75",
    "recall_90": ".9",
    "per_image": "an image",
}
PARTS = {"Labels": OF_LABELS, "Detections": OF_DETECTIONS, "Proposals": OF_PROPOSALS}
BY_CLASS = {  # measure of a class: what its table is of
    "f1": "F1 of labels",
    "label_iou": "Mask IoU of labels",
    "corloc": "CorLoc",
    "part": "Best boxes that are a part of an object",
    "too_large": "Best boxes that are too large",
}
MOST_CLASSES = 24  # columns beyond that nobody reads
DEFINITIONS = (
    "**F1, precision, recall**: of pseudo-labels, matched with objects of their class in their "
    "image one to one by mask IoU (of boxes, where not all have a mask), right from IoU .5, in %.",
    "**mask IoU**: mean over labels with the best object of their class; **of objects**: mean over "
    "objects with their own label, missed ones 0.",
    "**CorLoc**: share of tags whose best box has IoU .5 with an object of their class, mean over "
    "classes; **AP50** of selected boxes by VOC's rules: both on the training images, tags known.",
    "**recall .5, .75, .9**: share of objects that a proposal fits at this IoU, matched one to "
    "one; **an image**: proposals of an image.",
    "**±**: sample standard deviation over seeds; differences are taken within each seed.",
    "**\\***: told apart from no difference by a two-sided paired t-test at 5 %, each alone.",
)


def matched_table(numbers: Numbers) -> str:
    """The text of ablation.md; `numbers` as in ablation.json, with those of `matched_ablation`."""
    seeds = ", ".join(map(str, numbers["seeds"]))
    images, objects = (per_seed(numbers[key]) for key in ("images", "objects"))
    head = f"seeds: {seeds}; images: {images}; objects: {objects}."
    blocks = [
        "# Ablation",
        "\n".join(f"- {line}" for line in (head, *DEFINITIONS)),
        *(block for title in PARTS for block in _part(numbers, title)),
        *_by_class(numbers),
        *_uncompared(numbers["uncompared"]),
        *detector_blocks(numbers["detectors"]),
    ]
    return "\n\n".join(blocks) + "\n"


def _part(numbers: Numbers, title: str) -> list[str]:
    """One table of values and one of gains; nothing where no variant was measured so."""
    rows = numbers["matched_rows"]
    names = [name for name in PARTS[title] if _is_there(rows, name)]
    if not names:
        return []
    heads = [HEADS[name] for name in names]
    lines = [
        [f"**{escaped(row['name'])}**", *(_value(row["measures"][name], name) for name in names)]
        for row in rows
    ]
    return [f"## {title}", grid(["", *heads], lines), *_gains(numbers["gains"], names)]


def _gains(gains: Numbers, names: list[str]) -> list[str]:
    if not gains:
        return []
    lines = [
        [
            f"**{escaped(name)}** over {escaped(entry['over'])}",
            *(gain(entry["gains"][key], GAIN_FORMS.get(key, POINTS)) for key in names),
        ]
        for name, entry in gains.items()
    ]
    text = "Differences within a seed, in points of %: mean ± sd (seeds with a gain)."
    return [text, grid(["", *(HEADS[name] for name in names)], lines)]


def _by_class(numbers: Numbers) -> list[str]:
    """A table for each of BY_CLASS that was measured, a column for each class."""
    rows, names = numbers["matched_rows"], numbers["categories"]
    classes = sorted({key for row in rows for key in row["by_class"]}, key=int)
    if not classes:
        return []
    if len(classes) > MOST_CLASSES:
        return ["## By class", f"{len(classes)} classes: see by_class of ablation.json."]
    heads = [escaped(names.get(key, key)) for key in classes]
    tables = []
    for measure, text in BY_CLASS.items():
        lines = [
            [f"**{escaped(row['name'])}**", *_of_classes(row, classes, measure)] for row in rows
        ]
        if any(cell != "-" for line in lines for cell in line[1:]):
            tables += [f"{text}, in %.", grid(["", *heads], lines)]
    return ["## By class", *tables]


def _of_classes(row: Numbers, classes: list[str], measure: str) -> list[str]:
    found = [row["by_class"].get(key) for key in classes]
    return [spread(entry[measure], PERCENT) if entry else "-" for entry in found]


def _uncompared(uncompared: Mapping[str, str]) -> list[str]:
    lines = [
        f"- {escaped(name)} is not compared, since {escaped(base)} is not among the variants."
        for name, base in uncompared.items()
    ]
    return ["\n".join(lines)] * bool(lines)


def _is_there(rows: list[Numbers], name: str) -> bool:
    return any(row["measures"][name]["mean"] is not None for row in rows)


def _value(entry: Numbers, name: str) -> str:
    return spread(entry, FORMS.get(name, PERCENT))
