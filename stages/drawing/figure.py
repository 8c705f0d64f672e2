"""A trail as a picture: per instance the point, every proposal, and the choice."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from stages.drawing.trail import InstanceTrail, Row, Trail
from stages.files.atomic import replacing
from stages.geometry.masks import rle_of, rles_to_masks

PANEL = 1.55  # inches
CHOSEN, SELECTED, OTHER = (0.10, 0.75, 0.25), (1.0, 0.60, 0.0), (0.20, 0.45, 1.0)  # RGB
KINDS = {"point": "point", "inner_points": "inner", "boxes": "box"}


def draw_trail(trail: Trail, image: np.ndarray, out: Path, *, rows: int) -> None:
    """Write the picture of the first `rows` instances of an image.

    Parameters
    ----------
    image : (height, width, 3) uint8.
    out : PNG file.
    """
    shown = trail.instances[:rows]
    columns = 2 + max((len(instance.proposals) for instance in shown), default=0)
    figure = Figure(figsize=(columns * PANEL, max(len(shown), 1) * (PANEL + 0.25)), dpi=90)
    axes = figure.subplots(max(len(shown), 1), columns, squeeze=False)
    for axis in axes.ravel():
        axis.axis("off")
    for line, instance in zip(axes, shown, strict=False):
        _draw_instance(line, instance, image)
    figure.subplots_adjust(0.005, 0.01, 0.995, 0.95, 0.03, 0.22)
    with replacing(out) as temporary, mpl.rc_context({"text.parse_math": False}):
        figure.savefig(temporary, format="png", metadata={"Software": None})


def _draw_instance(line: np.ndarray, instance: InstanceTrail, image: np.ndarray) -> None:
    window = _window(instance, image.shape)
    _panel(line[0], image, window, instance, f"{instance.category} {instance.label['instance_id']}")
    for axis, row in zip(line[1:], instance.proposals, strict=False):
        _panel(axis, image, window, instance, _title(row, instance), row)
    chosen = [row for row in instance.proposals if row["proposal_id"] == instance.chosen()]
    if chosen:
        title = "chosen" if instance.refined else "selected"
        axis = line[1 + len(instance.proposals)]
        _panel(axis, image, window, instance, title, chosen[0])
        if instance.refined:
            _add_box(axis, instance.refined["box_prm"], window)


def _window(instance: InstanceTrail, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Part of the image to show: around the point and all proposals, x0, y0, x1, y1 px."""
    x, y = instance.label["x"], instance.label["y"]
    boxes = np.array([[x, y, x, y], *(row["box"] for row in instance.proposals)])
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    side = max(float((high - low).max()) * 1.15, 32.0)
    middle = (low + high) / 2
    x0, y0 = (int(v) for v in np.maximum(middle - side / 2, 0))
    x1, y1 = (int(v) for v in np.minimum(middle + side / 2 + 1, (shape[1], shape[0])))
    return x0, y0, x1, y1


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
        mask = rles_to_masks([rle_of(row["rle"], row["height"], row["width"])])[0]
        inside = mask[y0:y1, x0:x1, None] > 0
        shown = np.where(
            inside, 0.45 * shown + 0.55 * np.array(_colour(row, instance)), shown * 0.6
        )
    axis.imshow(np.clip(shown, 0, 1), interpolation="nearest")
    point = (instance.label["x"] - x0 - 0.5, instance.label["y"] - y0 - 0.5)
    axis.plot(*point, marker="o", markersize=4, color="red", markeredgecolor="white")
    axis.set_title(title, fontsize=7, pad=2)


def _colour(row: Row, instance: InstanceTrail) -> tuple[float, float, float]:
    if row["proposal_id"] == instance.chosen():
        return CHOSEN
    return SELECTED if row["proposal_id"] == instance.selected() else OTHER


def _title(row: Row, instance: InstanceTrail) -> str:
    text = f"{KINDS.get(row['prompt_kind'], row['prompt_kind'])} SAM {row['sam_score']:.2f}"
    score = instance.scores.get(row["proposal_id"])
    return f"{text} S {score['score']:.2f}" if score else text


def _add_box(axis: Axes, box: list[float], window: tuple[int, int, int, int]) -> None:
    corner = (box[0] - window[0] - 0.5, box[1] - window[1] - 0.5)
    width, height = box[2] - box[0], box[3] - box[1]
    axis.add_patch(Rectangle(corner, width, height, fill=False, edgecolor="yellow", linewidth=1))
