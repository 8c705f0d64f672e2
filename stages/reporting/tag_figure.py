"""The tags of one image as four panels: peaks, proposals, selected detections, chosen masks."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from stages.geometry.masks import rle_of, rles_to_masks
from stages.reporting.canvas import short_name
from stages.reporting.tag_trail import Row, TagTrail, counted

PANELS = 4
MAP_COLOURS = {"coarse": "#ff3b30", "fine": "#ffb000", "cross": "#00c8ff"}  # peaks, by their map
KIND_COLOURS = {"grid": "#b8b8b8", "peak": "#ff8c3a", "peaks": "#7ee081"}  # boxes, by their prompt
CLASS_COLOURS = ("#ff5a5a", "#4fb3ff", "#7ee081", "#ffd24a", "#c58bff", "#ff8fd0", "#5ff0e0")
OTHER = "#ffffff"
DIMMED = 0.55  # brightness of the photograph below boxes
COVERED = 0.55  # share of its colour in a mask
WRITTEN = 3  # detections of a class that are written on
TAG_LEGEND = (
    "peaks: red of the coarse map, amber fine, blue cross   boxes of proposals: grey of the grid, "
    "orange of a peak, green of all peaks of a class"
)


def draw_tags(
    panels: Sequence[Axes], tagged: TagTrail, results: Sequence[Row], image: np.ndarray
) -> None:
    """Draw on PANELS axes.

    Parameters
    ----------
    results : rows of table `pseudo_labels` of the image.
    image : (height, width, 3) uint8.
    """
    peaks, boxes, detections, masks = panels
    colours = class_colours([*tagged.classes])
    _draw_peaks(peaks, tagged, image)
    _draw_proposals(boxes, tagged, image)
    _draw_detections(detections, tagged, image, colours)
    _draw_masks(masks, results, image, colours)


def draw_map(axis: Axes, values: np.ndarray, title: str, image: np.ndarray) -> None:
    """A map of the network of clues over the photograph.

    Parameters
    ----------
    values : (h, w) float, 0 to 1; stretched over the image, whatever its size.
    """
    height, width = image.shape[:2]
    axis.imshow(image.mean(axis=2), cmap="gray", vmin=0, vmax=255)
    extent = (-0.5, width - 0.5, height - 0.5, -0.5)
    axis.imshow(values, cmap="inferno", vmin=0, vmax=1, alpha=0.6, extent=extent)
    axis.set_title(short_name(title), fontsize=7, pad=2)


def class_colours(classes: Sequence[int]) -> dict[int, str]:
    """A colour for each class, in their order."""
    return {key: CLASS_COLOURS[k % len(CLASS_COLOURS)] for k, key in enumerate(classes)}


def _draw_peaks(axis: Axes, tagged: TagTrail, image: np.ndarray) -> None:
    axis.imshow(image, interpolation="nearest")
    for row in tagged.prompts:
        if row["kind"] == "grid":
            _dots(axis, row["points"], OTHER, size=1.0)
    found = tagged.peaks()
    for row in reversed(found):  # the highest above the others
        colour = MAP_COLOURS.get(row["source_map"], OTHER)
        _dots(axis, row["points"], colour, size=3 + 3 * (row["value"] or 0))
    counts = counted(Counter(str(row["source_map"]) for row in found))
    names = ", ".join(tagged.classes.values())
    axis.set_title(f"tags: {short_name(names)}\npeaks: {counts or 'none'}", fontsize=7, pad=2)


def _dots(axis: Axes, points: Sequence[Sequence[float]], colour: str, *, size: float) -> None:
    x, y = (np.array(points, dtype=float) - 0.5).T
    edge = "none" if size < 2 else "black"
    axis.plot(x, y, "o", color=colour, markersize=size, markeredgecolor=edge, markeredgewidth=0.5)


def _draw_proposals(axis: Axes, tagged: TagTrail, image: np.ndarray) -> None:
    _dimmed(axis, image)
    for row in tagged.proposals:
        _box(axis, row["box"], KIND_COLOURS.get(row["prompt_kind"], OTHER), width=0.6)
    kinds = counted(Counter(row["prompt_kind"] for row in tagged.proposals))
    axis.set_title(f"{len(tagged.proposals)} proposals\n{kinds}", fontsize=7, pad=2)


def _draw_detections(
    axis: Axes, tagged: TagTrail, image: np.ndarray, colours: Mapping[int, str]
) -> None:
    _dimmed(axis, image)
    taken, seen = tagged.selected(), Counter[int]()
    for row in taken:
        box, colour = tagged.box_of(row), colours.get(row["category_id"], OTHER)
        seen[row["category_id"]] += 1
        is_written = seen[row["category_id"]] <= WRITTEN
        if box is None:
            continue
        _box(axis, box, colour, width=1.4 if is_written else 0.4)
        if is_written:
            text = f"{short_name(tagged.name_of(row['category_id']))} {row['score']:.2f}"
            axis.text(box[0], box[1], text, color=colour, fontsize=6, va="bottom", clip_on=True)
    axis.set_title(f"{len(taken)} detections selected", fontsize=7, pad=2)


def _draw_masks(
    axis: Axes, results: Sequence[Row], image: np.ndarray, colours: Mapping[int, str]
) -> None:
    shown = image.astype(float) / 255
    for row in results:
        mask = rles_to_masks([rle_of(row["rle"], row["height"], row["width"])])[0] > 0
        colour = np.array(to_rgb(colours.get(row["category_id"], OTHER)))
        shown[mask] = (1 - COVERED) * shown[mask] + COVERED * colour
    axis.imshow(shown, interpolation="nearest")
    for row in results:
        _box(axis, row["box"], colours.get(row["category_id"], OTHER), width=0.8)
    axis.set_title(f"{len(results)} pseudo-labels", fontsize=7, pad=2)


def _dimmed(axis: Axes, image: np.ndarray) -> None:
    axis.imshow(DIMMED * image.astype(float) / 255, interpolation="nearest")


def _box(axis: Axes, box: Any, colour: str, *, width: float) -> None:
    corner = (box[0] - 0.5, box[1] - 0.5)
    size = (box[2] - box[0], box[3] - box[1])
    axis.add_patch(Rectangle(corner, *size, fill=False, edgecolor=colour, linewidth=width))
