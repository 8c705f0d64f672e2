"""What labels cost and buy as a picture: seconds an image against AP of detector and labels."""

from collections.abc import Mapping, Sequence
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
COLOUR, LEAST = "#5fa2ce", 1e-3  # s; where what costs nothing stands
NEAR, AWAY = 1.5, 1.25  # times the seconds: kinds that are named together; from these to names
GAP = 0.055  # of the axis, between names
BEFORE, BEHIND = 2.0, 8.0  # times the least and the most seconds that the axis reaches, for names


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
        seconds = [_seconds(entry) for entry in numbers["kinds"].values()]  # of both panels
        panels[0].set_xlim(min(seconds, default=LEAST) / BEFORE, max(seconds, default=1.0) * BEHIND)


def _draw(axis: Axes, kinds: Numbers, measure: str) -> None:
    """One point for each kind that was measured, with its spread and its name."""
    shown = {name: entry for name, entry in kinds.items() if entry[measure]["mean"] is not None}
    seconds = np.array([_seconds(entry) for entry in shown.values()])
    means, spreads = (
        percent([entry[measure][key] for entry in shown.values()]) for key in ("mean", "sd")
    )
    for x, y, spread, entry in zip(seconds, means, spreads, shown.values(), strict=True):
        axis.errorbar(
            x,
            y,
            xerr=entry["seconds"]["sd"] or 0.0,
            yerr=np.nan_to_num(spread),
            fmt="o",
            color=COLOUR,
            ecolor="black",
            markersize=8,
            capsize=2.5,
        )
    _finish(axis)
    low, high = axis.get_ylim()
    for group in alike(seconds.tolist()):
        _name(axis, [*shown], seconds, means, group=group, gap=GAP * (high - low))


def _seconds(entry: Mapping[str, Any]) -> float:
    """What a kind costs; the least that an axis of logarithms shows for what costs nothing."""
    return max(float(entry["seconds"]["mean"]), LEAST)


def _name(
    axis: Axes,
    names: Sequence[str],
    seconds: np.ndarray,
    means: np.ndarray,
    *,
    group: list[int],
    gap: float,
) -> None:
    """Write the names of a group beside it, one below the other, each led to by a line."""
    edge = seconds[group].max() * AWAY
    for number, height in zip(group, spread_out(means[group], gap), strict=True):
        axis.annotate(
            short_name(names[number]),
            (seconds[number], means[number]),
            xytext=(edge, height),
            va="center",
            arrowprops={"arrowstyle": "-", "color": "0.6", "linewidth": 0.8},
        )


def alike(seconds: Sequence[float]) -> list[list[int]]:
    """Numbers of the kinds in groups, of which each costs less than NEAR times the one before."""
    order = sorted(range(len(seconds)), key=lambda number: seconds[number])
    groups: list[list[int]] = []
    for number in order:
        if groups and seconds[number] < NEAR * seconds[groups[-1][-1]]:
            groups[-1].append(number)
        else:
            groups.append([number])
    return groups


def spread_out(heights: np.ndarray, gap: float) -> np.ndarray:
    """Heights that are at least `gap` apart, in the order of the given ones and about their mean.

    Parameters
    ----------
    heights : (n,). gap : above 0.
    """
    order = np.argsort(heights, kind="stable")
    placed = heights[order].astype(float)
    for number in range(1, len(placed)):
        placed[number] = max(placed[number], placed[number - 1] + gap)
    found = np.empty_like(placed)
    found[order] = placed - (placed.mean() - heights.mean()) if len(placed) else placed
    return found


def _finish(axis: Axes) -> None:
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.xaxis.set_major_formatter(ScalarFormatter())
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.margins(y=0.15)
    low, high = axis.get_ylim()
    axis.set_ylim(max(low, 0), max(high, 1))
    axis.set_xlabel("seconds of a person per image (log)")
    plain(axis, grid="y", shade="0.9")
