"""What a run's labels say of themselves, as a picture: no truth is needed."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from stages.reporting.canvas import canvas, plain

SIZE = (13.0, 3.8)  # inches
BINS = 25
COLOURS = ("#5fa2ce", "#8a4fbf", "#2e9e5b")


def draw_doubt(quality: np.ndarray, score: np.ndarray, areas: np.ndarray, out: Path) -> None:
    """Write the picture: how quality, score and size are spread.

    Parameters
    ----------
    quality, score : (n,) 0 to 1. areas : (n,) shares of the image, 0 to 1.
    out : PNG file; equal numbers give equal bytes.
    """
    with canvas(out, SIZE) as figure:
        figure.subplots_adjust(left=0.05, right=0.99, bottom=0.16, top=0.87, wspace=0.2)
        axes = figure.subplots(1, 3)
        edges = np.linspace(0, 1, BINS + 1)
        _draw(axes[0], quality, edges, "quality of the mask", COLOURS[0])
        _draw(axes[1], score, edges, "score of the class", COLOURS[1])
        low = max(float(areas.min()), 1e-5) if len(areas) else 1e-5
        _draw(axes[2], areas, np.geomspace(low, 1, BINS + 1), "share of the image", COLOURS[2])
        axes[2].set_xscale("log")
        axes[2].xaxis.set_major_formatter(lambda value, _: f"{100 * value:g} %")


def _draw(axis: Axes, values: np.ndarray, edges: np.ndarray, name: str, colour: str) -> None:
    axis.hist(np.clip(values, edges[0], edges[-1]), bins=edges.tolist(), color=colour)
    told = f"median {np.median(values):.3f}" if len(values) else "no labels"
    axis.set(xlabel=name, ylabel="labels", title=told)
    plain(axis, grid="y", shade="0.92")
