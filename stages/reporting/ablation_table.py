"""The ablation as GitHub Markdown. Pure: the numbers of `ablation` and `detectors` in, text out.

Shares, IoU, AP and headroom are printed in %, Gap from -1 to 1 as in the paper's Table 7.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from stages.metrics.ablation import ALL
from stages.reporting.markdown import (
    PERCENT,
    POINTS,
    RATIO,
    UNSIGNED,
    escaped,
    gain,
    grid,
    per_seed,
    shown,
    spread,
)
from stages.reporting.metrics_table import LABELS

Numbers = Mapping[str, Any]


FORMATS = {"gap": RATIO}  # of a measure, where it is not PERCENT
MAIN = {  # measure: head of its column
    "box_iou": "box IoU",
    "mask_iou": "mask IoU",
    "mask_iou_50": "≥ .5",
    "mask_iou_75": "≥ .75",
    "label_ap": "label AP",
    "group": "group",
    "local": "local",
    "gap": "Gap",
    "headroom": "headroom",
}
AVERAGES = {
    "box_ap": "box AP",
    "mask_ap": "mask AP",
    "mask_ap_50": "mask AP50",
    "mask_ap_75": "mask AP75",
}
RETAINED = {"mask_ap": "retention", "mask_ap_50": "of AP50", "mask_ap_75": "of AP75"}
GROUND_TRUTH = "ground truth"  # the name of the reference where it is compared with
DETECTOR_GAINS = {"mask_ap": "mask AP", "box_ap": "box AP"}
DEFINITIONS = (
    "**box IoU, mask IoU**: mean over objects of the IoU of pseudo-label and object, in %.",
    "**≥ .5, ≥ .75**: share of objects with at least this mask IoU, in %.",
    "**label AP**: mask AP of the labels as if they were detections of their images, in %.",
    "**group**: share of masks that cover another object of the class as well, in %; "
    "**local**: of masks that are only a part of their object, in %. Less is better.",
    "**Gap**: mean of mask area / box area of the choice minus that of the object, over objects "
    "whose bag has a value above the mean (SAPNet, Table 7).",
    "**headroom**: share of the way from sam_top1 to the ceiling in mask IoU, in %.",
    "**±**: sample standard deviation over seeds; differences are taken within each seed.",
    "**\\***: told apart from no difference by a two-sided paired t-test at 5 %, each alone.",
)


def ablation_table(numbers: Numbers) -> str:
    """The text of ablation.md; `numbers` as in ablation.json."""
    blocks = [
        "# Ablation",
        "\n".join(f"- {line}" for line in (*_head(numbers), *DEFINITIONS)),
        "## Pseudo-labels",
        _main(numbers["rows"]),
        *_by_size(numbers),
        *_gains(numbers),
        *_against(numbers["against"]),
        *detector_blocks(numbers["detectors"]),
    ]
    return "\n\n".join(blocks) + "\n"


def label_of(name: str) -> str:
    """The name of a row as a person reads it."""
    return LABELS.get(name, name.replace("_", " ") if name.startswith("fixed_slot") else name)


def _head(numbers: Numbers) -> list[str]:
    """What the numbers rest on."""
    seeds = ", ".join(map(str, numbers["seeds"]))
    images, objects = (per_seed(numbers[key]) for key in ("images", "objects"))
    groups = [f"{escaped(name)} {per_seed(n)}" for name, n in numbers["difficulties"].items()]
    by_difficulty = f"; by difficulty: {', '.join(groups)}" if groups else ""
    return [f"seeds: {seeds}; images: {images}; objects: {objects}{by_difficulty}."]


def _main(rows: Sequence[Numbers]) -> str:
    lines = []
    for row in rows:
        cells = [spread(row["measures"][key], FORMATS.get(key, PERCENT)) for key in MAIN]
        lines.append([_name_of(row), *cells])
    return grid(["", *MAIN.values()], lines)


def _name_of(row: Numbers) -> str:
    """Variants stand out in bold."""
    name = escaped(label_of(row["name"]))
    return f"**{name}**" if row["kind"] == "variant" else name


def _by_size(numbers: Numbers) -> list[str]:
    """Mask IoU of every row for objects of each size, with the numbers of objects."""
    sizes = numbers["sizes"]
    lines = [["objects", *map(per_seed, sizes.values())]]
    for row in numbers["rows"]:
        cells = [spread(row["by_size"][size], PERCENT) for size in sizes]
        lines.append([_name_of(row), *cells])
    text = "Mask IoU of objects by their share of the image's area, in %."
    return ["## By size of object", text, grid(["", *map(escaped, sizes)], lines)]


def _gains(numbers: Numbers) -> list[str]:
    """Gains of each variant over the one it is compared with."""
    alone = [
        f"- {escaped(name)} is not compared, since {escaped(base)} is not among the variants."
        for name, base in numbers["uncompared"].items()
    ]
    blocks = ["\n".join(alone)] * bool(alone)
    if numbers["gains"]:
        text = "Differences within a seed, in points of %: mean ± sd (seeds with a gain)."
        tables = (_gain_table(numbers, key) for key in ("mask_iou", "box_iou"))
        blocks = [text, *tables, *blocks]
    return ["## Gains", *blocks] if blocks else []


def _gain_table(numbers: Numbers, key: str) -> str:
    """One line for each variant; beside mask IoU the changes of the shares of errors."""
    groups, lines = [ALL, *numbers["difficulties"]], []
    errors = ("group", "local") if key == "mask_iou" else ()
    for name, entry in numbers["gains"].items():
        gains = entry["gains"]
        cells = [gain(gains[key][group]) for group in groups]
        cells += [spread(gains[error][ALL], POINTS) for error in errors]
        cells += [gain(gains["label_ap"][ALL])] if errors else []
        lines.append([f"**{escaped(name)}** over {escaped(entry['over'])}", *cells])
    heads = [*map(escaped, groups), *(f"{error} errors" for error in errors)]
    heads += [MAIN["label_ap"]] if errors else []
    return grid([MAIN[key], *heads], lines)


def _against(against: Numbers) -> list[str]:
    """Each variant that is to beat every choice without learning."""
    if not against:
        return []
    heads = ["", "mask IoU", "least", "> 3 sd", "box IoU", "least", "> 3 sd"]
    lines = [
        [
            f"**{escaped(name)}** - {escaped(label_of(trivial))}",
            *(cell for key in ("mask_iou", "box_iou") for cell in _beaten(entry[key])),
        ]
        for name, table in against.items()
        for trivial, entry in table.items()
    ]
    text = (
        "Differences within a seed, in points of %: mean ± sd, the least of the seeds, and whether "
        "the mean is above three times the sd."
    )
    return ["## Against what needs no learning", text, grid(heads, lines)]


def _beaten(entry: Numbers) -> list[str]:
    beyond = {None: "-", True: "yes", False: "no"}[entry["beyond_3_sd"]]
    return [spread(entry, POINTS), shown(entry["min"], POINTS), beyond]


def detector_blocks(detectors: Numbers) -> list[str]:
    """What detectors reach, and how they compare; nothing where none was trained."""
    if not detectors:
        return []
    lines = [
        [
            f"**{escaped(name)}**",
            *(spread(entry["retention"][key], PERCENT) for key in RETAINED),
            *(spread(entry[key], PERCENT) for key in AVERAGES),
        ]
        for name, entry in detectors.items()
    ]
    seeds = max(len(entry["mask_ap"]["per_seed"]) for entry in detectors.values())
    text = (
        f"On held-out images, in %, over {seeds} seed{'s' * (seeds > 1)}. **retention**: mask AP "
        "divided by that of the detector that learnt from ground truth, in the same seed."
    )
    table = grid(["", *RETAINED.values(), *AVERAGES.values()], lines)
    return ["## Detectors", text, table, *_detector_gains(detectors)]


def _detector_gains(detectors: Numbers) -> list[str]:
    """Each detector against ground truth, and against the one with one thing less."""
    lines = [
        _detector_gain(name, other, entry[kind])
        for kind in ("lost", "gains")
        for name, entry in detectors.items()
        if entry[kind]
        for other in [GROUND_TRUTH if kind == "lost" else entry["over"]]
    ]
    if not lines:
        return []
    text = (
        "Differences within a seed, in points of AP: mean ± sd (seeds with a gain); **told from**: "
        "the smallest mean difference that so many seeds tell apart from none."
    )
    heads = [cell for head in DETECTOR_GAINS.values() for cell in (head, "told from")]
    return [text, grid(["", *heads], lines)]


def _detector_gain(name: str, other: str, gains: Numbers) -> list[str]:
    cells = [
        cell
        for key in DETECTOR_GAINS
        for cell in (gain(gains[key]), shown(gains[key]["least"], UNSIGNED))
    ]
    return [f"**{escaped(name)}** over {escaped(other)}", *cells]
