"""What labels cost and buy, as GitHub Markdown. Pure: the numbers of label_cost.json in, text out.

Shares, IoU and AP are printed in %.
"""

from collections.abc import Mapping
from typing import Any

from stages.metrics.label_seconds import COUNTED
from stages.reporting.markdown import (
    PERCENT,
    UNSIGNED,
    Format,
    escaped,
    gain,
    grid,
    per_seed,
    shown,
    spread,
)

Numbers = Mapping[str, Any]
SECONDS = Format(1, 1)
MEASURES = {  # of a kind: head of its column
    "label_ap": "label AP",
    "mask_iou": "mask IoU",
    "mask_ap": "detector mask AP",
    "box_ap": "box AP",
    "share": "share of true masks",
}
COUNTS = {
    "tag": "classes asked for",
    "first_point": "first points",
    "point": "further points",
    "box": "boxes",
    "mask": "masks",
}
DEFINITIONS = (
    "**s/image**: seconds that a person needs for the labels of an image: what was counted, times "
    "`label_cost.seconds`.",
    "**label AP**: mask AP of the labels as if they were detections of their images; masks that "
    "were given are among them.",
    "**mask IoU**: mean over objects of the IoU of their label, without masks that were given; "
    "none where labels come from no object of their own.",
    "**detector mask AP, box AP**: on held-out images; **share of true masks**: its mask AP "
    "divided by that of the detector that learnt from the truth, in the same seed.",
    "**±**: sample standard deviation over seeds; differences are taken within each seed.",
    "**\\***: told apart from no difference by a two-sided paired t-test at 5 %, each alone.",
)


def label_cost_table(numbers: Numbers) -> str:
    """The text of label_cost.md; `numbers` as in label_cost.json."""
    each = ", ".join(f"{COUNTS[name]} {numbers['seconds_each'][name]:g} s" for name in COUNTED)
    seeds = ", ".join(map(str, numbers["seeds"]))
    head = f"seeds: {seeds}; images: {per_seed(numbers['images'])}; {each}."
    blocks = [
        "# What a label buys",
        "\n".join(f"- {line}" for line in (head, *DEFINITIONS)),
        _kinds(numbers["kinds"]),
        *_neighbours(numbers["neighbours"]),
        "## What was counted",
        _counts(numbers["counts"]),
    ]
    return "\n\n".join(blocks) + "\n"


def _kinds(kinds: Numbers) -> str:
    """A line for each kind, the cheapest first."""
    lines = [
        [
            f"**{escaped(name)}**",
            spread(entry["seconds"], SECONDS),
            *(spread(entry[key], PERCENT) for key in MEASURES),
        ]
        for name, entry in kinds.items()
    ]
    return grid(["", "s/image", *MEASURES.values()], lines)


def _neighbours(neighbours: list[Numbers]) -> list[str]:
    """Each kind against the next cheaper one."""
    if not neighbours:
        return []
    lines = [
        [
            f"**{escaped(entry['name'])}** over {escaped(entry['over'])}",
            shown(entry["times"], Format(1, 2)),
            *(
                cell
                for key in ("mask_ap", "label_ap")
                for cell in (gain(entry[key]), shown(entry[key]["least"], UNSIGNED))
            ),
        ]
        for entry in neighbours
    ]
    text = (
        "Differences within a seed, in points of AP: mean ± sd (seeds with a gain); **told from**: "
        "the smallest mean difference that so many seeds tell apart from none."
    )
    heads = ["", "times the cost", MEASURES["mask_ap"], "told from", "label AP", "told from"]
    return ["## Against the next cheaper kind", text, grid(heads, lines)]


def _counts(counts: Numbers) -> str:
    """Labels of each kind, by seed."""
    lines = [
        [escaped(name), *(per_seed([entry[key] for entry in seeds]) for key in COUNTED)]
        for name, seeds in counts.items()
    ]
    return grid(["", *(COUNTS[name] for name in COUNTED)], lines)
