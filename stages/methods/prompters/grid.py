"""A grid of points over an image that has tags: everything in it is asked about.

WeakSAM, Sec. 3.2: the dense prompts, laid as SAM's own mask generator lays them. Which of the
answers stay is for `propose.grid` to say.
"""

from typing import Any

import numpy as np
import pyarrow as pa

from stages.labels.tags import tags_of
from stages.tables.prompts import GRID, PROMPTS
from stages.tables.table import rows_table
from stages.tables.weak_labels import TAG_BAG


def opened_prompter(settings: Any) -> "Grid":
    """The prompter; `settings` is the entry of `prompt.sources`."""
    return Grid(settings.side)


def grid_points(height: int, width: int, side: int) -> np.ndarray:
    """Centres of the cells of an image, row by row.

    Parameters
    ----------
    height, width : px. side : cells along each side.

    Returns
    -------
    (side^2, 2) float32 x, y px.

    Source: SAM's automatic mask generator.
    """
    at = (np.arange(side) + 0.5) / side
    rows, columns = np.meshgrid(at * height, at * width, indexing="ij")
    return np.stack([columns.ravel(), rows.ravel()], axis=1).astype(np.float32)


class Grid:
    """The grid of one image after the other.

    side : points along each side of the image.
    """

    kinds = frozenset({"tag"})

    def __init__(self, side: int):
        self.side = side

    def prompts(self, image: dict[str, Any], labels: pa.Table) -> pa.Table:
        """Rows of table `prompts`: one, or none for an image without tags.

        Parameters
        ----------
        image : row of table `images`. labels : rows of table `weak_labels` of this image.
        """
        if not tags_of(labels):
            return rows_table(PROMPTS, [])
        points = grid_points(image["height"], image["width"], self.side).tolist()
        row = {
            **{"image_id": image["image_id"], "bag_id": TAG_BAG, "prompt_id": 0, "kind": GRID},
            **{"points": points, "point_signs": [1] * len(points)},
        }
        return rows_table(PROMPTS, [row])
