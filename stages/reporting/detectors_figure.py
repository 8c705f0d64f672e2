"""Detectors as a picture: mask AP of each, over all objects and by their size."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from stages.reporting.canvas import canvas, percent, plain, short_name

Numbers = Mapping[str, Any]

WIDTH = 16.0  # inches; 1600 px
LINE = 0.2  # inches of height for each bar
BARS = {  # measure: its name and colour
    "mask_ap": ("all sizes", "#5fa2ce"),
    "mask_ap_s": ("small, under 32² px²", "#f2c48d"),
    "mask_ap_m": ("medium", "#d9822b"),
    "mask_ap_l": ("large, from 96² px²", "#8c4a12"),
}
THICK = 0.2  # of a bar, where two detectors are 1 apart


def draw_detectors(numbers: Numbers, out: Path) -> None:
    """Write the picture of the detectors of ablation.json.

    Parameters
    ----------
    numbers : "detectors": {name: {each of BARS: {"mean", "sd", "per_seed"} in [0, 1] or None,
        "retention": {"mask_ap": {"mean"}}}}.
    out : PNG file; equal numbers give equal bytes.
    """
    detectors = numbers["detectors"]
    height = LINE * (len(BARS) + 1) * max(len(detectors), 2) + 1.4
    with canvas(out, (WIDTH, height)) as figure:
        figure.set_layout_engine("constrained", w_pad=0.12, h_pad=0.08)
        axis = figure.subplots()
        axis.set_title(
            "Detectors on held-out images: mean, sd and each seed; dotted: the best of all sizes"
        )
        if detectors:
            _draw_bars(axis, detectors)
        else:
            axis.text(0.5, 0.5, "not measured:\nno detector was trained", ha="center", va="center")
            axis.set(xticks=[], yticks=[])


def _draw_bars(axis: Axes, detectors: Numbers) -> None:
    """For each detector a bar per size with its spread and a dot per seed."""
    places = np.arange(len(detectors))
    for number, (measure, (label, colour)) in enumerate(BARS.items()):
        entries = [entry[measure] for entry in detectors.values()]
        means, spreads = (percent([entry[key] for entry in entries]) for key in ("mean", "sd"))
        spots = places + (number - (len(BARS) - 1) / 2) * THICK
        axis.barh(spots, np.nan_to_num(means), height=0.9 * THICK, color=colour, label=label)
        axis.errorbar(means, spots, xerr=np.nan_to_num(spreads), fmt="none", ecolor="black")
        for spot, entry in zip(spots, entries, strict=True):
            _draw_seeds(axis, float(spot), entry)
    _finish(axis, detectors)


def _draw_seeds(axis: Axes, spot: float, entry: Numbers) -> None:
    """A dot per seed, and the mean in figures to the right of all that is drawn."""
    seeds = percent(entry["per_seed"])
    heights = np.full(len(seeds), spot)
    axis.plot(seeds, heights, "o", color="white", markeredgecolor="black", markersize=3.5)
    mean, spread = percent([entry["mean"], entry["sd"]])
    end = np.nan_to_num([mean + np.nan_to_num(spread), *seeds]).max()
    text = "-" if np.isnan(mean) else f"{mean:.1f}"
    axis.text(float(end), spot, f"  {text}", va="center", fontsize=9)


def _finish(axis: Axes, detectors: Numbers) -> None:
    best = np.nanmax([0, *percent([entry["mask_ap"]["mean"] for entry in detectors.values()])])
    axis.axvline(best, color="black", linestyle=":", linewidth=1)
    for place in range(1, len(detectors)):
        axis.axhline(place - 0.5, color="0.88", linewidth=0.8)
    names = [_name(name, entry) for name, entry in detectors.items()]
    axis.set_yticks(range(len(detectors)), names)
    axis.set_ylim(len(detectors) - 0.5, -0.5)
    axis.set_xlim(0, max(axis.get_xlim()[1] * 1.04, 1))
    axis.set_xlabel("mask AP, %")
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    plain(axis, grid="x", shade="0.92")


def _name(name: str, entry: Numbers) -> str:
    """A detector's name, and its mask AP as a share of the one that learnt from ground truth."""
    kept = entry["retention"]["mask_ap"]["mean"]
    return short_name(name) + ("" if kept is None else f"\nretention {kept * 100:.0f} %")
