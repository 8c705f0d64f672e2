"""What SIM's teacher says of an image: features of its cells, and the soft mask of each object.

In come rows of the tables of one image, out go objects with M_I, the probability of each pixel of
their box (SIM, Eq. 6), and of each class the features of the cells that are surely the object.
Shared by what makes prototypes of them and by the refiner. The paper looks at features at stride 4;
we take the teacher's own cells, each of which counts by the pixel at its centre.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from stages.box_supervision.semantic_map import cell_centres, is_filled, unit_vectors
from stages.geometry.boxes import touched_pixels
from stages.geometry.soft_masks import Part, soft_in
from stages.learning.labelled import labelled_bags
from stages.segmenters.on_demand import OnDemand

SOFT_COLUMNS = ("image_id", "bag_id", "proposal_id", "box", "soft", "valid")  # of proposals
SELECTED_COLUMNS = ("image_id", "bag_id", "proposal_id", "selected")  # of selections


class Teacher(Protocol):
    """A segmenter that lets others see what it sees.

    Attributes
    ----------
    stride : px of the image per cell, of the image that was embedded last.
    """

    stride: float

    def embed(self, pixels: np.ndarray) -> None:
        """Look at an image, (height, width, 3) uint8 RGB."""

    def mask_features(self) -> np.ndarray:
        """(D, ceil(height / stride), ceil(width / stride)) float32 of that image."""


@dataclass(frozen=True, slots=True)
class TaughtObject:
    """An object as the teacher sees it.

    Attributes
    ----------
    box : (4,) xyxy px, the label's, or where it has none that of the mask; given : whether it has.
    part : rows and columns of the pixels that the box touches.
    chances : M_I of these pixels, (h, w) float32 of 0 to 1; 0 where the teacher has no mask.
    proposal : row of table `proposals`.
    """

    bag_id: int
    category_id: int
    box: np.ndarray
    given: bool
    part: Part
    chances: np.ndarray
    proposal: Mapping[str, Any]


def opened_teacher(segmenter: OnDemand) -> Teacher:
    """The segmenter of section `propose`, with its features.

    Raises
    ------
    ValueError : it has none.
    """
    teacher: Any = segmenter()
    if not hasattr(teacher, "mask_features"):
        raise ValueError(
            "refine.method: sim reads mask features, which propose.segmenter: "
            f"{segmenter.settings.segmenter} has none of. Set propose.segmenter: sim."
        )
    found: Teacher = teacher
    return found


def taught_objects(
    image: Mapping[str, Any], labels: pa.Table, proposals: pa.Table, scores: pa.Table
) -> list[TaughtObject]:
    """The objects of one image, by rising bag_id, each with the proposal that select chose.

    Parameters
    ----------
    image : with image_id, height and width. labels : its rows of table `weak_labels`.
    proposals : rows with SOFT_COLUMNS at least. scores : rows of table `selections` of the same
        proposals, with SELECTED_COLUMNS at least.

    Raises
    ------
    ValueError : the tables are of different runs, or the proposals have no soft masks.
    """
    known = labelled_bags(labels)
    found = []
    for row in _selected(image, proposals, scores):
        if row["bag_id"] not in known:
            raise ValueError(
                f"image {image['image_id']}: there are proposals for bag {row['bag_id']}, which "
                "has no box among the weak labels. The tables are of different runs: rerun with -R "
                "propose."
            )
        label = known[row["bag_id"]]
        box = np.array(label.box or row["box"], dtype=np.float64)
        part = touched_pixels(box, image["height"], image["width"])
        chances = _chances(image, row, part)
        given = label.box is not None
        ids = row["bag_id"], label.category_id
        found.append(TaughtObject(*ids, box, given, part, chances, row))
    return found


def _selected(
    image: Mapping[str, Any], proposals: pa.Table, scores: pa.Table
) -> Sequence[Mapping[str, Any]]:
    """The proposal of each bag that select chose."""
    key = ("bag_id", "proposal_id")
    if any(scores.column(name).to_pylist() != proposals.column(name).to_pylist() for name in key):
        raise ValueError(
            f"image {image['image_id']}: select's table is not about these proposals. Rerun with "
            "-R select."
        )
    rows: Sequence[Mapping[str, Any]] = proposals.filter(scores.column("selected")).to_pylist()
    return rows


def _chances(image: Mapping[str, Any], row: Mapping[str, Any], part: Part) -> np.ndarray:
    """M_I of a part of the image; 0 where the teacher found no positive."""
    if row["soft"] is None:
        if row["valid"]:
            raise ValueError(
                f"image {image['image_id']}: the masks of table proposals have no probabilities "
                "(column soft), which refine.method: sim fuses. Set propose.segmenter: sim and "
                "rerun with -R propose."
            )
        return np.zeros((part[0].stop - part[0].start, part[1].stop - part[1].start), np.float32)
    box = np.array(row["box"], dtype=np.float64)
    try:
        return soft_in(row["soft"], box, part, image["height"], image["width"])
    except ValueError as error:
        raise ValueError(
            f"image {image['image_id']}: bag {row['bag_id']}: {error} Rerun with -R propose."
        ) from error


def class_features(
    objects: Sequence[TaughtObject], teacher: Teacher, *, sure: float
) -> dict[int, np.ndarray]:
    """Features of the cells that are surely an object, by class, of the image embedded last.

    Parameters
    ----------
    sure : M_I above which a cell counts; it is taken once for each object that it is of.

    Returns
    -------
    (n, D) float32 of length 1 by category_id, rising; only classes of which there are any.
    """
    features = teacher.mask_features()
    stride = float(teacher.stride)
    found: dict[int, list[np.ndarray]] = {}
    for one in objects:
        mine = sure_cells(one, features.shape[1:], stride, sure=sure)
        found.setdefault(one.category_id, []).append(features[:, mine[0], mine[1]].T)
    joined = {number: _directed(np.concatenate(found[number])) for number in sorted(found)}
    return {number: rows for number, rows in joined.items() if len(rows)}


def sure_cells(
    one: TaughtObject, size: Sequence[int], stride: float, *, sure: float
) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns, (n,) int each, of the cells whose centres lie surely in an object.

    Parameters
    ----------
    size : cells of the image, down and across. stride : px per cell.
    """
    rows, down = _within(size[0], stride, one.part[0])
    columns, across = _within(size[1], stride, one.part[1])
    seen = one.chances[np.ix_(down, across)] > sure
    y, x = np.nonzero(seen)
    return rows[y], columns[x]


def _within(size: int, stride: float, part: slice) -> tuple[np.ndarray, np.ndarray]:
    """Cells of a line whose centres lie in a part of it, and where in it they do."""
    centres = cell_centres(size, stride)
    inside = np.flatnonzero((centres >= part.start) & (centres < part.stop))
    return inside, centres[inside] - part.start


def _directed(features: np.ndarray) -> np.ndarray:
    """Features at length 1, without those that have no direction."""
    rows = unit_vectors(features)
    return np.asarray(rows[is_filled(rows)])
