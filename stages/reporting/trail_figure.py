"""A trail as a picture: what tags led to, and per object its label, proposals and what became."""

import itertools
import math
from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpecBase
from matplotlib.patches import Rectangle

from stages.geometry.masks import rle_of, rles_to_masks
from stages.reporting.image_trail import InstanceTrail, Trail
from stages.reporting.tag_figure import PANELS, TAG_LEGEND, draw_map, draw_tags
from stages.reporting.tag_trail import Row
from stages.reporting.trail_legend import PICTURE
from stages.reporting.windows import window_of
from stages.runtime.atomic import replacing

COLUMNS = 7  # panels side by side
HEAD = 2  # lines of a row of panels on tags, which are larger
PANEL = 1.45  # inches
LETTER, LINE = 7, 0.125  # of the legend, points and inches
DIMMED = 0.35  # brightness outside a mask
CHOSEN, SELECTED, OTHER = (0.10, 0.85, 0.25), (1.0, 0.60, 0.0), (0.35, 0.65, 1.0)  # RGB
PROMPT_NAMES = {"point": "point", "box": "box", "inner_points": "inner", "boxes": "derived box"}
PROMPT_NAMES |= {f"mirrored_{kind}": f"{short}, mirrored" for kind, short in PROMPT_NAMES.items()}
CHOICES = {
    "given": "given mask",
    "proposal": "refined choice",
    "vote": "voted by the bag",
    "zoom": "asked again, close up",
    "box_prompt": "asked with its box",
    "fused": "fused with its class",
    "box": "its box, filled",
}
LEGEND = (
    "red: label   green: chosen   orange: select's choice, where it is another   "
    "yellow: box of the label"
)


def draw_trail(
    trail: Trail,
    image: np.ndarray,
    out: Path,
    *,
    rows: int,
    maps: Mapping[str, np.ndarray] | None = None,
) -> None:
    """Write the picture of the first `rows` instances of an image, its tags above them.

    Parameters
    ----------
    image : (height, width, 3) uint8.
    out : PNG file.
    maps : title to (h, w) float in 0 to 1, in whatever size: maps of clues, which no stage stores.
    """
    shown = trail.instances[:rows]
    heights = [math.ceil(_panels(instance) / COLUMNS) for instance in shown]
    above = (1 + math.ceil(len(maps or ()) / PANELS)) * HEAD if trail.tagged else 0
    lines = max(above + sum(heights), 1)
    figure = Figure(figsize=(COLUMNS * PANEL, lines * (PANEL + 0.2) + 0.6), dpi=100)
    grid = figure.add_gridspec(lines, COLUMNS)
    if trail.tagged:
        head = grid[:above, :].subgridspec(above // HEAD, PANELS, wspace=0.04, hspace=0.15)
        _draw_head(figure, head, trail, image, maps or {})
    places = itertools.product(range(above, lines), range(COLUMNS))
    cells = [figure.add_subplot(grid[place]) for place in places]
    axes = np.array(cells).reshape(-1, COLUMNS)
    for axis in figure.axes:
        axis.axis("off")
    for start, height, instance in zip(
        itertools.accumulate([0, *heights]), heights, shown, strict=False
    ):
        _draw_instance(axes[start : start + height].ravel(), instance, image)
    legend = "\n".join([LEGEND, *([TAG_LEGEND] if trail.tagged else []), PICTURE])
    figure.text(0.008, 0.03 / figure.get_figheight(), legend, fontsize=LETTER)
    below = (legend.count("\n") + 1.5) * LINE / figure.get_figheight()
    figure.subplots_adjust(0.005, below, 0.995, 0.98, 0.04, 0.15)
    with replacing(out) as temporary, mpl.rc_context({"text.parse_math": False}):
        figure.savefig(temporary, format="png", metadata={"Software": None})


def _draw_head(
    figure: Figure,
    grid: GridSpecBase,
    trail: Trail,
    image: np.ndarray,
    maps: Mapping[str, np.ndarray],
) -> None:
    """What the tags led to, and the maps of clues where they are given."""
    assert trail.tagged is not None
    count = PANELS + len(maps)
    axes = [figure.add_subplot(grid[divmod(number, PANELS)]) for number in range(count)]
    results = [instance.result for instance in trail.instances if instance.result]
    draw_tags(axes[:PANELS], trail.tagged, results, image)
    for axis, (title, values) in zip(axes[PANELS:], maps.items(), strict=True):
        draw_map(axis, values, title, image)


def _panels(instance: InstanceTrail) -> int:
    """The label, each proposal, and what became of them."""
    return 1 + len(instance.proposals) + (_ending(instance) is not None)


def _ending(instance: InstanceTrail) -> Row | None:
    """The row of what was decided last: the pseudo-label, or select's choice, or nothing."""
    rows = [row for row in instance.proposals if row["proposal_id"] == instance.chosen()]
    return instance.result or next(iter(rows), None)


def _draw_instance(cells: np.ndarray, instance: InstanceTrail, image: np.ndarray) -> None:
    window = window_of(instance, image.shape)
    _panel(cells[0], image, window, instance, f"{instance.category} {instance.instance_id}")
    for axis, row in zip(cells[1:], instance.proposals, strict=False):
        _panel(axis, image, window, instance, _title(row, instance), row)
    ending = _ending(instance)
    if ending is not None:
        axis, result = cells[1 + len(instance.proposals)], instance.result
        title = CHOICES[result["mask_source"]] if result else "select's choice"
        _panel(axis, image, window, instance, title, ending)
        if result:
            _add_box(axis, result["box"], window, "yellow")


def _panel(
    axis: Axes,
    image: np.ndarray,
    window: tuple[int, int, int, int],
    instance: InstanceTrail,
    title: str,
    row: Row | None = None,
) -> None:
    x0, y0, x1, y1 = window
    shown = image[y0:y1, x0:x1].astype(float) / 255
    if row is not None:
        mask = rles_to_masks([rle_of(row["rle"], row["height"], row["width"])])[0, y0:y1, x0:x1]
        gray = np.repeat(shown.mean(axis=2, keepdims=True), 3, axis=2)
        shown = np.where(mask[..., None] > 0, shown, DIMMED * gray)
        colour = _colour(row, instance)
        if mask.any() and not mask.all():
            axis.contour(mask, levels=[0.5], colors=[colour], linewidths=1.2)
        _frame(axis, shown.shape, colour)
    axis.imshow(shown, interpolation="nearest")
    for label in instance.labels:
        _add_label(axis, label, window, alone=row is None)
    axis.set_title(title, fontsize=7, pad=2)


def _add_label(axis: Axes, label: Row, window: tuple[int, int, int, int], *, alone: bool) -> None:
    """A point is marked in every panel; a box, and that of a mask, in the label's own."""
    if label["x"] is not None:
        point = (label["x"] - window[0] - 0.5, label["y"] - window[1] - 0.5)
        axis.plot(*point, marker="o", markersize=4, color="red", markeredgecolor="white")
    if alone and label["box"] is not None:
        _add_box(axis, label["box"], window, "red")


def _frame(axis: Axes, shape: tuple[int, ...], colour: tuple[float, float, float]) -> None:
    """A frame around the panel of a choice."""
    if colour != OTHER:
        size = (shape[1] - 1, shape[0] - 1)
        axis.add_patch(Rectangle((0, 0), *size, fill=False, edgecolor=colour, linewidth=3))


def _colour(row: Row, instance: InstanceTrail) -> tuple[float, float, float]:
    if row is instance.result or row["proposal_id"] == instance.chosen():
        return CHOSEN
    return SELECTED if row["proposal_id"] == instance.selected() else OTHER


def _title(row: Row, instance: InstanceTrail) -> str:
    text = f"{PROMPT_NAMES.get(row['prompt_kind'], row['prompt_kind'])} {row['predicted_iou']:.2f}"
    score = instance.scores.get(row["proposal_id"])
    return f"{text} S {score['score']:.2f}" if score else text


def _add_box(axis: Axes, box: list[float], window: tuple[int, int, int, int], colour: str) -> None:
    corner = (box[0] - window[0] - 0.5, box[1] - window[1] - 0.5)
    width, height = box[2] - box[0], box[3] - box[1]
    axis.add_patch(Rectangle(corner, width, height, fill=False, edgecolor=colour, linewidth=1))
