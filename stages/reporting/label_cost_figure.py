"""What labels cost and buy as a picture: seconds an image against AP of detector and labels."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

from stages.reporting.canvas import canvas, percent, plain, short_name

Numbers = Mapping[str, Any]

SIZE = (16.0, 6.5)  # inches
PANELS = {  # measure: title
    "mask_ap": "Detector on held-out images: mask AP, %",
    "label_ap": "Labels as if they were detections: mask AP, %",
}
COLOUR, LEAST = "#5fa2ce", 1e-3  # s; what costs nothing stands at the left border


def draw_label_costs(numbers: Numbers, out: Path) -> None:
    """Write the picture of the numbers of label_cost.json.

    Parameters
    ----------
    numbers : "kinds": {name: {"seconds", each of PANELS: {"mean", "sd", "per_seed"}}}.
    out : PNG file; equal numbers give equal bytes.
    """
    with canvas(out, SIZE) as figure:
        figure.set_layout_engine("constrained", w_pad=0.12, h_pad=0.08)
        panels = figure.subplots(1, len(PANELS), sharex=True)
        for axis, (measure, title) in zip(panels, PANELS.items(), strict=True):
            _draw(axis, numbers["kinds"], measure)
            axis.set_title(title)


def _draw(axis: Axes, kinds: Numbers, measure: str) -> None:
    """One point for each kind that was measured, with its spread and its name."""
    for number, (name, entry) in enumerate(kinds.items()):
        if entry[measure]["mean"] is None:
            continue
        seconds = max(entry["seconds"]["mean"], LEAST)
        mean, spread = percent([entry[measure]["mean"], entry[measure]["sd"]])
        axis.errorbar(
            seconds,
            mean,
            xerr=entry["seconds"]["sd"] or 0.0,
            yerr=np.nan_to_num(spread),
            fmt="o",
            color=COLOUR,
            ecolor="black",
            markersize=8,
            capsize=2.5,
        )
        above = number % 2 == 0  # kinds of one cost stand one above the other
        axis.annotate(
            short_name(name),
            (seconds, mean),
            xytext=(8, 9 if above else -9),
            textcoords="offset points",
            va="bottom" if above else "top",
        )
    _finish(axis)


def _finish(axis: Axes) -> None:
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.xaxis.set_major_formatter(ScalarFormatter())
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.margins(x=0.18)
    axis.set_ylim(0, max(1.1 * axis.get_ylim()[1], 1))
    axis.set_xlabel("seconds of a person per image (log)")
    plain(axis, grid="y", shade="0.9")
