"""Detectors as a picture: mask AP of each, over all objects and by their size."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stages.runtime.atomic import replacing

Numbers = Mapping[str, Any]

WIDTH, DPI = 16.0, 100  # inches; 1600 px
LINE = 0.2  # inches of height for each bar
LONGEST = 28  # letters of a name
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
    numbers : "detectors": {name: {each of BARS: {"mean", "sd", "per_seed"} in [0, 1] or None}}.
    out : PNG file; equal numbers give equal bytes.
    """
    detectors = numbers["detectors"]
    height = LINE * (len(BARS) + 1) * max(len(detectors), 2) + 1.4
    with mpl.rc_context({"text.parse_math": False, "font.size": 11}):  # names are no formulas
        figure = Figure(figsize=(WIDTH, height), dpi=DPI)
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
        with replacing(out) as temporary:
            figure.savefig(temporary, format="png", metadata={"Software": None})


def _draw_bars(axis: Axes, detectors: Numbers) -> None:
    """For each detector a bar per size with its spread and a dot per seed."""
    places = np.arange(len(detectors))
    for number, (measure, (label, colour)) in enumerate(BARS.items()):
        entries = [entry[measure] for entry in detectors.values()]
        means, spreads = (_percent([entry[key] for entry in entries]) for key in ("mean", "sd"))
        spots = places + (number - (len(BARS) - 1) / 2) * THICK
        axis.barh(spots, np.nan_to_num(means), height=0.9 * THICK, color=colour, label=label)
        axis.errorbar(means, spots, xerr=np.nan_to_num(spreads), fmt="none", ecolor="black")
        for spot, entry in zip(spots, entries, strict=True):
            _draw_seeds(axis, float(spot), entry)
    _finish(axis, detectors)


def _draw_seeds(axis: Axes, spot: float, entry: Numbers) -> None:
    """A dot per seed, and the mean in figures to the right of all that is drawn."""
    seeds = _percent(entry["per_seed"])
    heights = np.full(len(seeds), spot)
    axis.plot(seeds, heights, "o", color="white", markeredgecolor="black", markersize=3.5)
    mean, spread = _percent([entry["mean"], entry["sd"]])
    end = np.nan_to_num([mean + np.nan_to_num(spread), *seeds]).max()
    text = "-" if np.isnan(mean) else f"{mean:.1f}"
    axis.text(float(end), spot, f"  {text}", va="center", fontsize=9)


def _finish(axis: Axes, detectors: Numbers) -> None:
    best = np.nanmax([0, *_percent([entry["mask_ap"]["mean"] for entry in detectors.values()])])
    axis.axvline(best, color="black", linestyle=":", linewidth=1)
    for place in range(1, len(detectors)):
        axis.axhline(place - 0.5, color="0.88", linewidth=0.8)
    axis.set_yticks(range(len(detectors)), [_short(name) for name in detectors])
    axis.set_ylim(len(detectors) - 0.5, -0.5)
    axis.set_xlim(0, max(axis.get_xlim()[1] * 1.04, 1))
    axis.set_xlabel("mask AP, %")
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(axis="x", color="0.92")
    axis.set_axisbelow(True)


def _percent(values: Any) -> np.ndarray:
    """(n,) float64, NaN for None."""
    return 100 * np.array([np.nan if value is None else value for value in values], dtype=float)


def _short(name: str) -> str:
    """A name on one line, cut where it is too long for the margin."""
    text = " ".join(name.split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
