"""Labels and detector as a picture: IoU of pseudo-labels, what scores are worth, AP by size."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from stages.metrics.calibration import GOOD
from stages.reporting.canvas import canvas, floats, plain

Numbers = Mapping[str, Any]

SIZE = (16.0, 5.2)  # inches; 1600 x 520 px
LABELS = "#5fa2ce"  # colours
BARS = {"bbox": ("box", "#d9822b"), "segm": ("mask", "#2e9e5b")}
AVERAGES = {"AP": "all", "APs": "small", "APm": "medium", "APl": "large"}
FEWEST = 5  # labels of a bin whose mean is drawn full; fewer are drawn faint


def draw_quality(metrics: Numbers, out: Path) -> None:
    """Write the picture of metrics.json; a panel says so where nothing was measured.

    Parameters
    ----------
    metrics : with label_quality, label_match, bms_rules and detector, as `evaluate` writes them.
    out : PNG file; equal numbers give equal bytes.
    """
    labels = metrics["label_quality"] or metrics.get("label_match")
    with canvas(out, SIZE) as figure:
        figure.subplots_adjust(left=0.04, right=0.99, bottom=0.11, top=0.89, wspace=0.14)
        first, second, third = figure.subplots(1, 3)
        if labels and sum(labels["iou_histogram"]["n"]):
            _draw_histogram(first, labels["iou_histogram"], _means(labels))
            _draw_reliability(second, labels["reliability"])
        else:
            for axis, title in ((first, "Pseudo-labels"), (second, "Scores of pseudo-labels")):
                _say_why(axis, title, _reason(metrics))
        if metrics["detector"]:
            _draw_sizes(third, metrics["detector"])
        else:
            _say_why(third, "Detector", "no held-out images\nwith predictions")


def _reason(metrics: Numbers) -> str:
    if metrics["bms_rules"] is None:
        return "no tables of proposals\nand choices"
    match = metrics.get("label_match")
    if metrics["label_quality"] is None and not match:
        return "no ground truth"
    if match and not match.get("masks"):
        return "not all labels\nand objects have masks"
    return "no object with a pseudo-label"


def _means(labels: Numbers) -> Numbers:
    """Mean mask IoU of the pseudo-labels and the shares at 0.5 and 0.75, edges of the histogram."""
    if "choices" in labels:
        choice: Numbers = labels["choices"]["pseudo_label"]
        return choice
    edges, counts = np.array(labels["iou_histogram"]["edges"]), labels["iou_histogram"]["n"]
    shares = [np.sum(counts, where=edges[:-1] >= low) / np.sum(counts) for low in (0.5, 0.75)]
    mean = labels["masks"]["label_iou"]
    return {"mask_iou": mean, "mask_iou_50": shares[0], "mask_iou_75": shares[1]}


def _say_why(axis: Axes, title: str, reason: str) -> None:
    axis.text(0.5, 0.5, f"not measured:\n{reason}", ha="center", va="center", color="0.4")
    axis.set(xticks=[], yticks=[], title=f"{title}\n")
    axis.spines[:].set_color("0.8")


def _draw_histogram(axis: Axes, histogram: Numbers, choice: Numbers) -> None:
    edges, counts = np.array(histogram["edges"]), np.array(histogram["n"])
    share = 100 * counts / counts.sum()
    axis.bar(edges[:-1], share, width=np.diff(edges), align="edge", color=LABELS, edgecolor="white")
    mean = choice["mask_iou"]
    axis.axvline(mean, color="black", linestyle="--", linewidth=1.2)
    axis.set(xlim=(0, 1), xlabel="mask IoU with the object", ylabel="pseudo-labels, %")
    half, three_quarters = (100 * choice[name] for name in ("mask_iou_50", "mask_iou_75"))
    axis.set_title(
        f"{counts.sum()} pseudo-labels, mean IoU {mean:.3f} (dashed)\n"
        f"{half:.1f} % at 0.5 or more, {three_quarters:.1f} % at 0.75 or more"
    )
    plain(axis, grid="y", shade="0.92")


def _draw_reliability(axis: Axes, reliability: Numbers) -> None:
    """Mean IoU and share of good labels over the mean score of each bin; grey: how many."""
    sizes, edges = np.array(reliability["n"]), np.array(reliability["edges"])
    share = sizes / sizes.sum()
    axis.bar(
        edges[:-1], share, width=np.diff(edges), align="edge", color="0.9", label="share of labels"
    )
    axis.plot([0, 1], [0, 1], color="0.5", linestyle=":", linewidth=1.2)
    errors = reliability["expected_calibration_error"]
    curves = {
        "mask_iou": ("mean mask IoU", LABELS),
        "mask_iou_50": (f"share with IoU ≥ {GOOD}", "#8a4fbf"),
    }
    for name, (label, colour) in curves.items():
        scores, values = (floats(reliability[key]) for key in ("mean_score", name))
        text = f"{label}; calibration error {errors[name]:.3f}"
        axis.plot(scores, values, "-", color=colour, label=text)
        for few in (True, False):
            kept = (sizes < FEWEST) == few
            face = "white" if few else colour
            axis.plot(
                scores[kept], values[kept], "o", color=colour, markerfacecolor=face, clip_on=False
            )
    axis.plot(
        [], [], "o", color="0.4", markerfacecolor="white", label=f"fewer than {FEWEST} labels"
    )
    axis.legend(loc="upper left", frameon=False, fontsize=9.5)
    axis.set(xlim=(0, 1), ylim=(0, 1.35), xlabel="score of the pseudo-label", ylabel="outcome")
    axis.set_yticks(np.linspace(0, 1, 6))
    axis.set_title("Reliability of scores, by tenths of the score\ndotted: score equals outcome")
    plain(axis, grid="y", shade="0.92")


def _draw_sizes(axis: Axes, detector: Numbers) -> None:
    places, width = np.arange(len(AVERAGES)), 0.38
    for side, (kind, (label, colour)) in zip((-0.5, 0.5), BARS.items(), strict=True):
        numbers = detector[kind] or {}
        values = 100 * floats([numbers.get(name) for name in AVERAGES])
        spots = places + side * width
        axis.bar(spots, np.nan_to_num(values), width=width, color=colour, label=f"{label} AP")
        for spot, value in zip(spots, values, strict=True):
            text = "-" if np.isnan(value) else f"{value:.1f}"
            axis.text(spot, np.nan_to_num(value), text, ha="center", va="bottom", fontsize=10)
    axis.set_xticks(places, list(AVERAGES.values()))
    axis.set(xlabel="size of objects, parted at 32² and 96² px²", ylabel="AP, %")
    axis.set_ylim(0, max(axis.get_ylim()[1] * 1.2, 1))
    axis.legend(loc="upper left", frameon=False, ncols=2)
    axis.set_title(
        f"Detector on {detector['images']} held-out images\n"
        f"{detector['objects']} objects, {detector['detections']} detections"
    )
    plain(axis, grid="y", shade="0.92")
