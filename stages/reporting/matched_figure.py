"""The ablation of labels matched by IoU, as a picture: labels, detections, proposals."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from stages.reporting.canvas import canvas, percent, plain, short_name

Numbers = Mapping[str, Any]

WIDTH = 16.0  # inches; 1600 px
LINE = 0.22  # inches of height for each bar
PANELS = {  # title: measure to its name and colour
    "Labels": {
        "f1": ("F1", "#5fa2ce"),
        "precision": ("precision", "#d9822b"),
        "recall": ("recall", "#f2c48d"),
        "label_iou": ("mask IoU", "#2e9e5b"),
    },
    "Detections on training images": {
        "corloc_two_branch": ("CorLoc, two-branch head", "#b8b8b8"),
        "corloc": ("CorLoc", "#5fa2ce"),
        "ap50_area": ("AP50, area", "#d9822b"),
    },
    "Proposals": {
        "recall_50": ("recall at IoU .5", "#5fa2ce"),
        "recall_75": (".75", "#d9822b"),
        "recall_90": (".9", "#8c4a12"),
    },
}
BARS = max(len(measures) for measures in PANELS.values())
THICK = 0.8 / BARS  # of a bar, where two variants are 1 apart


def draw_matched(numbers: Numbers, out: Path) -> None:
    """Write the picture of the numbers of ablation.json, with those of `matched_ablation`.

    Parameters
    ----------
    out : PNG file; equal numbers give equal bytes.
    """
    rows = numbers["matched_rows"]
    with canvas(out, (WIDTH, LINE * (BARS + 1) * max(len(rows), 2) + 2)) as figure:
        figure.set_layout_engine("constrained", w_pad=0.12, h_pad=0.08)
        panels = figure.subplots(1, len(PANELS), sharey=True)
        for axis, (title, measures) in zip(panels, PANELS.items(), strict=True):
            _draw_panel(axis, rows, measures)
            axis.set_title(title)
        panels[0].set_yticks(range(len(rows)), [short_name(row["name"]) for row in rows])
        panels[0].set_ylim(len(rows) - 0.5, -0.5)


def _draw_panel(
    axis: Axes, rows: Sequence[Numbers], measures: Mapping[str, tuple[str, str]]
) -> None:
    """Bars with their spread, a dot for each seed and the mean in figures."""
    places = np.arange(len(rows))
    for number, (measure, (label, colour)) in enumerate(measures.items()):
        entries = [row["measures"][measure] for row in rows]
        means = percent([entry["mean"] for entry in entries])
        spreads = np.nan_to_num(percent([entry["sd"] for entry in entries]))
        spots = places + (number - (len(measures) - 1) / 2) * THICK
        axis.barh(spots, np.nan_to_num(means), height=0.9 * THICK, color=colour, label=label)
        axis.errorbar(means, spots, xerr=spreads, fmt="none", ecolor="black")
        for spot, entry, mean in zip(spots, entries, means, strict=True):
            seeds = percent(entry["per_seed"])
            heights = np.full(len(seeds), spot)
            axis.plot(seeds, heights, "o", color="white", markeredgecolor="black", markersize=3)
            axis.text(1, float(spot), "-" if np.isnan(mean) else f"{mean:.1f}", va="center", size=8)
    for place in places[:-1]:
        axis.axhline(place + 0.5, color="0.88", linewidth=0.8)
    axis.set_xlim(0, 100)
    axis.set_xlabel("%")
    axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1.06), frameon=False, ncols=2, fontsize=9)
    plain(axis, grid="x", shade="0.92")
