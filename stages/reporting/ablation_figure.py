"""The ablation as a picture: mask IoU of every row, and each component's gain by difficulty."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from stages.metrics.ablation import ALL, BASE, CEILING
from stages.reporting.ablation_table import label_of
from stages.reporting.canvas import canvas, percent, plain, short_name

Numbers = Mapping[str, Any]

WIDTH = 16.0  # inches; 1600 px
LINE = 0.36  # inches of height for each row of the left panel
BAR_COLOURS = {"trivial": "#b8b8b8", "variant": "#5fa2ce", "ceiling": "#808080"}  # by kind of row
COLOURS = ("#222222", "#2e9e5b", "#d9822b", "#8a4fbf", "#c63d4f", "#1b9aaa", "#a0762b")
MARKERS = "Dos^vPX"
SPREAD = 0.62  # share of a row's height that the dots of its difficulties take


def draw_ablation(numbers: Numbers, out: Path) -> None:
    """Write the picture of the numbers of ablation.json.

    Parameters
    ----------
    out : PNG file; equal numbers give equal bytes.
    """
    gains = numbers["gains"]
    groups = [ALL, *numbers["difficulties"]]
    lines = max(len(numbers["rows"]), len(gains) * (1 + len(groups) / 4), 6)
    with canvas(out, (WIDTH, LINE * lines + 1.6)) as figure:
        figure.set_layout_engine("constrained", w_pad=0.12, h_pad=0.08)
        panels = figure.subplots(1, 2) if gains else [figure.subplots(1, 1)]
        _draw_rows(panels[0], numbers["rows"])
        if gains:
            _draw_gains(panels[1], gains, groups)


def _draw_rows(axis: Axes, rows: Sequence[Numbers]) -> None:
    """A bar for each row with its spread and a dot per seed, lines at sam_top1 and the ceiling."""
    entries = [row["measures"]["mask_iou"] for row in rows]
    means = percent([entry["mean"] for entry in entries])
    spreads = np.nan_to_num(percent([entry["sd"] for entry in entries]))
    places = np.arange(len(rows))
    colours = [BAR_COLOURS[row["kind"]] for row in rows]
    axis.barh(places, means, xerr=spreads, height=0.7, color=colours, ecolor="black")
    for place, entry in zip(places, entries, strict=True):
        seeds = percent(entry["per_seed"])
        height = place + _offsets(len(seeds), 0.3)
        axis.plot(seeds, height, "o", color="white", markeredgecolor="black", markersize=4)
    for row, place, mean in zip(rows, places, means, strict=True):
        if row["name"] in (BASE, CEILING):
            axis.axvline(mean, color="black", linestyle="--", linewidth=1)
        axis.text(0.8, float(place), f"{mean:.1f}", va="center")
    axis.set_yticks(places, [short_name(label_of(row["name"])) for row in rows])
    axis.set_ylim(len(rows) - 0.4, -0.6)
    axis.set_xlim(left=0)
    axis.set_xlabel("mask IoU, %")
    axis.set_title("Pseudo-labels: mean, sd and each seed; dashed: sam_top1 and the ceiling")
    _finish(axis)


def _draw_gains(axis: Axes, gains: Numbers, groups: Sequence[str]) -> None:
    """For each variant a dot with its spread per difficulty."""
    places = np.arange(len(gains))
    entries = [entry["gains"]["mask_iou"] for entry in gains.values()]
    for number, (group, offset) in enumerate(
        zip(groups, _offsets(len(groups), SPREAD), strict=True)
    ):
        means = percent([entry[group]["mean"] for entry in entries])
        spreads = np.nan_to_num(percent([entry[group]["sd"] for entry in entries]))
        axis.errorbar(
            means,
            places + offset,
            xerr=spreads,
            fmt=MARKERS[number % len(MARKERS)],
            color=COLOURS[number % len(COLOURS)],
            markersize=6,
            capsize=2.5,
            label=short_name(group),
        )
    axis.axvline(0, color="black", linewidth=1)
    for place in places[:-1]:
        axis.axhline(place + 0.5, color="0.88", linewidth=0.8)
    over = {name: entry["over"] for name, entry in gains.items()}
    names = [f"{short_name(name)}\nover {short_name(base)}" for name, base in over.items()]
    axis.set_yticks(places, names)
    axis.set_ylim(len(gains) - 0.5, -0.5)
    axis.set_xlabel("gain in mask IoU, points of %")
    axis.set_title("Gain of each component by difficulty: mean and sd")
    axis.figure.legend(loc="outside lower right", ncols=min(len(groups), 5), frameon=False)
    _finish(axis)


def _offsets(count: int, width: float) -> np.ndarray:
    """(count,) places side by side about 0, none for a single one."""
    return np.linspace(-width / 2, width / 2, count) if count > 1 else np.zeros(count)


def _finish(axis: Axes) -> None:
    plain(axis, grid="x", shade="0.9")
    axis.title.set_fontsize(11.5)
