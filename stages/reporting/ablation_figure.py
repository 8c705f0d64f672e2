"""The ablation as a picture: mask IoU of every row, and each component's gain by difficulty."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stages.metrics.ablation import ALL, BASE, CEILING
from stages.reporting.ablation_table import label_of
from stages.runtime.atomic import replacing

Numbers = Mapping[str, Any]

WIDTH, DPI = 16.0, 100  # inches; 1600 px
LINE = 0.36  # inches of height for each row of the left panel
LONGEST = 28  # letters of a name
KINDS = {"trivial": "#b8b8b8", "variant": "#5fa2ce", "ceiling": "#808080"}  # colours of bars
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
    with mpl.rc_context({"text.parse_math": False, "font.size": 11}):  # names are no formulas
        figure = Figure(figsize=(WIDTH, LINE * lines + 1.6), dpi=DPI)
        figure.set_layout_engine("constrained", w_pad=0.12, h_pad=0.08)
        panels = figure.subplots(1, 2) if gains else [figure.subplots(1, 1)]
        _draw_rows(panels[0], numbers["rows"])
        if gains:
            _draw_gains(panels[1], gains, groups)
        with replacing(out) as temporary:
            figure.savefig(temporary, format="png", metadata={"Software": None})


def _draw_rows(axis: Axes, rows: Sequence[Numbers]) -> None:
    """A bar for each row with its spread and a dot per seed, lines at sam_top1 and the ceiling."""
    entries = [row["measures"]["mask_iou"] for row in rows]
    means = _percent([entry["mean"] for entry in entries])
    spreads = np.nan_to_num(_percent([entry["sd"] for entry in entries]))
    places = np.arange(len(rows))
    colours = [KINDS[row["kind"]] for row in rows]
    axis.barh(places, means, xerr=spreads, height=0.7, color=colours, ecolor="black")
    for place, entry in zip(places, entries, strict=True):
        seeds = _percent(entry["per_seed"])
        height = place + _offsets(len(seeds), 0.3)
        axis.plot(seeds, height, "o", color="white", markeredgecolor="black", markersize=4)
    for row, place, mean in zip(rows, places, means, strict=True):
        if row["name"] in (BASE, CEILING):
            axis.axvline(mean, color="black", linestyle="--", linewidth=1)
        axis.text(0.8, float(place), f"{mean:.1f}", va="center")
    axis.set_yticks(places, [_short(label_of(row["name"])) for row in rows])
    axis.set_ylim(len(rows) - 0.4, -0.6)
    axis.set_xlim(left=0)
    axis.set_xlabel("mask IoU, %")
    axis.set_title("Pseudo-labels: mean, sd and each seed; dashed: sam_top1 and the ceiling")
    _plain(axis)


def _draw_gains(axis: Axes, gains: Numbers, groups: Sequence[str]) -> None:
    """For each variant a dot with its spread per difficulty."""
    places = np.arange(len(gains))
    entries = [entry["gains"]["mask_iou"] for entry in gains.values()]
    for number, (group, offset) in enumerate(
        zip(groups, _offsets(len(groups), SPREAD), strict=True)
    ):
        means = _percent([entry[group]["mean"] for entry in entries])
        spreads = np.nan_to_num(_percent([entry[group]["sd"] for entry in entries]))
        axis.errorbar(
            means,
            places + offset,
            xerr=spreads,
            fmt=MARKERS[number % len(MARKERS)],
            color=COLOURS[number % len(COLOURS)],
            markersize=6,
            capsize=2.5,
            label=_short(group),
        )
    axis.axvline(0, color="black", linewidth=1)
    for place in places[:-1]:
        axis.axhline(place + 0.5, color="0.88", linewidth=0.8)
    names = [f"{_short(name)}\nover {_short(entry['over'])}" for name, entry in gains.items()]
    axis.set_yticks(places, names)
    axis.set_ylim(len(gains) - 0.5, -0.5)
    axis.set_xlabel("gain in mask IoU, points of %")
    axis.set_title("Gain of each component by difficulty: mean and sd")
    axis.figure.legend(loc="outside lower right", ncols=min(len(groups), 5), frameon=False)
    _plain(axis)


def _plain(axis: Axes) -> None:
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(axis="x", color="0.9")
    axis.set_axisbelow(True)
    axis.title.set_fontsize(11.5)


def _percent(values: Sequence[float | None]) -> np.ndarray:
    """(n,) float64, NaN for None."""
    return 100 * np.array([np.nan if value is None else value for value in values], dtype=float)


def _offsets(count: int, width: float) -> np.ndarray:
    """(count,) places side by side about 0, none for a single one."""
    return np.linspace(-width / 2, width / 2, count) if count > 1 else np.zeros(count)


def _short(name: str) -> str:
    """A name on one line, cut where it is too long for the margin."""
    text = " ".join(name.split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
