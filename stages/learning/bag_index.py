"""Bags of any image of whole tables, for trainings.

The tables stay in memory without their masks (boxes and scores, about 60 bytes a proposal); bags
are cut out of them image by image.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, Self

import pyarrow as pa
import torch

from stages.learning.bags import image_bags
from stages.learning.labelled import LABEL_COLUMNS, tally
from stages.runtime.program import Sentence
from stages.tables.spans import runs


class Bags(Protocol):
    """What an image's proposals are cut into: bags of its objects, or one bag of its tags."""

    @property
    def image_id(self) -> int:
        """Of the image."""

    @property
    def size(self) -> tuple[float, float]:
        """(height, width) of the pixel grid that the boxes refer to."""

    def scaled(self, factor: float, *, flip: bool = False) -> Self:
        """The same on a grid `factor` times as large, mirrored left to right or not."""

    def to(self, device: torch.device) -> Self:
        """The same on `device`."""


class Cut(Protocol):
    """Cuts the bags of an image out of its rows, as `stages.learning.bags.image_bags` does."""

    def __call__(
        self,
        image: Mapping[str, Any],
        labels: pa.Table,
        proposals: pa.Table,
        selections: pa.Table | None,
        order: Mapping[int, int],
    ) -> Bags:
        """The bags of one image, on the image's own pixel grid."""


class Index(Protocol):
    """Images by id, and what is to be learned about each."""

    @property
    def image_ids(self) -> list[int]:
        """Ids of the images that teach something, sorted."""

    def image(self, image_id: int) -> Mapping[str, Any]:
        """Row of table `images`."""

    def bags(self, image_id: int) -> Any:
        """`Bags` of one image, on the image's own pixel grid."""


class BagIndex:
    """Bags of any image of the tables, by image id.

    Parameters
    ----------
    images, labels, proposals : tables sorted by their keys, with the columns that bags need.
    category_ids : classes in the order of their indices.
    selections : select's table of the same proposals, or None.
    cut : makes the bags of an image.

    Raises
    ------
    ValueError : proposals and selections are not about the same images.
    """

    def __init__(
        self,
        images: pa.Table,
        labels: pa.Table,
        proposals: pa.Table,
        category_ids: Sequence[int],
        selections: pa.Table | None = None,
        *,
        cut: Cut = image_bags,
    ):
        self.cut = cut
        self.images: dict[int, Mapping[str, Any]] = {
            row["image_id"]: row for row in images.to_pylist()
        }
        self.order = {category: index for index, category in enumerate(category_ids)}
        self.labels, self.proposals = _Cut(labels.select(LABEL_COLUMNS)), _Cut(proposals)
        self.selections = None if selections is None else _Cut(selections)
        if self.selections is not None and self.selections.spans != self.proposals.spans:
            raise ValueError("select's tables are not about these proposals. Rerun with -R select.")

    @property
    def image_ids(self) -> list[int]:
        """Ids of the images that have proposals, sorted."""
        return sorted(self.proposals.spans)

    def image(self, image_id: int) -> Mapping[str, Any]:
        """Row of table `images`."""
        return self.images[image_id]

    def bags(self, image_id: int) -> Any:
        """The bags of one image, on the image's own pixel grid."""
        chosen = None if self.selections is None else self.selections.rows(image_id)
        labels, proposals = self.labels.rows(image_id), self.proposals.rows(image_id)
        return self.cut(self.images[image_id], labels, proposals, chosen, self.order)

    def tally(self) -> Sentence:
        """How many images and objects there are, and how many bags are empty, for the log."""
        return tally(len(self.image_ids), self.proposals.table)


class _Cut:
    """A table and where each image's rows lie in it."""

    def __init__(self, table: pa.Table):
        self.table, self.spans = table, runs(table.column("image_id").to_numpy())

    def rows(self, image_id: int) -> pa.Table:
        start, end = self.spans.get(image_id, (0, 0))
        return self.table.slice(start, end - start)
