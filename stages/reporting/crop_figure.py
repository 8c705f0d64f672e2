"""Crops of boxes as a picture: what each head of a crop segmenter sees, and the mask of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stages.geometry.masks import rle_of, rles_to_masks
from stages.reporting.canvas import short_name
from stages.reporting.image_trail import InstanceTrail, Trail
from stages.runtime.atomic import replacing

PANEL = 1.45  # inches
OUTSIDE = 0.35  # brightness outside the mask
HEADS = ("weak", "salient", "transferred", "mixed")


@dataclass(frozen=True, slots=True)
class CropRow:
    """A box of a picture. crop : x0, y0, x1, y1 px. maps : of heads by name, (size, size), 0 to 1.

    mask : (height, width) bool, of the whole image.
    """

    title: str
    crop: tuple[int, int, int, int]
    maps: Mapping[str, np.ndarray]
    mask: np.ndarray


def boxed(trail: Trail, most: int) -> list[tuple[InstanceTrail, np.ndarray]]:
    """The first objects that have a box for a label and a proposal; each with its box, xyxy px."""
    found = []
    for instance in trail.instances:
        box = next((row["box"] for row in instance.labels if row["kind"] == "box"), None)
        if box is not None and instance.proposals:
            found.append((instance, np.array(box, dtype=np.float32)))
    return found[:most]


def proposed_mask(instance: InstanceTrail) -> np.ndarray:
    """The mask of an object's first proposal, (height, width) bool."""
    row = instance.proposals[0]
    mask = rles_to_masks([rle_of(row["rle"], row["height"], row["width"])])[0]
    return np.asarray(mask > 0)


def draw_crops(rows: Sequence[CropRow], image: np.ndarray, out: Path) -> None:
    """Write a picture with a line for each box: the crop, each head, the mix, the mask.

    Parameters
    ----------
    rows : one at least. image : (height, width, 3) uint8. out : PNG file.
    """
    names = [name for name in HEADS if name in rows[0].maps]
    columns = len(names) + 2
    figure = Figure(figsize=(columns * PANEL, len(rows) * (PANEL + 0.2)), dpi=100)
    axes = figure.subplots(len(rows), columns, squeeze=False)
    for line, row in zip(axes, rows, strict=True):
        _draw_row(line, row, names, image)
    figure.subplots_adjust(0.005, 0.01, 0.995, 1 - 0.2 / figure.get_figheight(), 0.04, 0.15)
    with replacing(out) as temporary, mpl.rc_context({"text.parse_math": False}):
        figure.savefig(temporary, format="png", metadata={"Software": None})


def _draw_row(line: Sequence[Axes], row: CropRow, names: Sequence[str], image: np.ndarray) -> None:
    x0, y0, x1, y1 = row.crop
    part, mask = image[y0:y1, x0:x1], row.mask[y0:y1, x0:x1]
    _shown(line[0], part, short_name(row.title))
    for axis, name in zip(line[1:], names, strict=False):
        axis.imshow(row.maps[name], cmap="inferno", vmin=0, vmax=1, extent=(0, 1, 1, 0))
        _shown(axis, None, name)
        axis.set_aspect((y1 - y0) / (x1 - x0))
    _shown(line[-1], (part * np.where(mask, 1, OUTSIDE)[:, :, None]).astype(np.uint8), "mask")


def _shown(axis: Axes, pixels: np.ndarray | None, title: str) -> None:
    if pixels is not None:
        axis.imshow(pixels, interpolation="nearest")
    axis.set_title(title, fontsize=7, pad=2)
    axis.axis("off")
