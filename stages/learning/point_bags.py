"""Points to bags: the objects of an image that a person pointed at, and nothing else of them.

In come rows of table `weak_labels`; out go points and classes as tensors. An object whose box is
given needs none, and what is known beyond its point is not looked at.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from stages.runtime.program import Sentence
from stages.tables.spans import runs

POINT_COLUMNS = ("image_id", "label_id", "kind", "category_id", "bag_id", "x", "y", "status")


@dataclass(frozen=True, slots=True)
class PointBags:
    """The pointed objects of one image: n of them, by bag_id.

    points : (n, 2) float32 x, y px. labels : (n,) int64, classes from 0 in the categories' order.
    size : (height, width) of the pixel grid that the points refer to.
    """

    image_id: int
    bag_ids: tuple[int, ...]
    points: Tensor
    labels: Tensor
    size: tuple[float, float]

    def scaled(self, factor: float, *, flip: bool = False) -> "PointBags":
        """The same points on a grid `factor` times as large, mirrored left to right or not."""
        height, width = self.size[0] * factor, self.size[1] * factor
        points = self.points * factor
        if flip:
            points = torch.stack([width - points[:, 0], points[:, 1]], dim=-1)
        return replace(self, points=points, size=(height, width))

    def to(self, device: torch.device) -> "PointBags":
        """The same points on `device`."""
        return replace(self, points=self.points.to(device), labels=self.labels.to(device))


def point_bags(image: Mapping[str, Any], labels: pa.Table, order: Mapping[int, int]) -> PointBags:
    """The pointed objects of one image, on its own pixel grid; points beyond it are moved into it.

    Parameters
    ----------
    image : row of table `images`. labels : its rows of table `weak_labels`, by label_id, with
        POINT_COLUMNS at least; of several points of an object the first counts.
    order : index of each class, by category_id.
    """
    rows = labels.filter(pc.not_equal(labels.column("status"), "deleted")).select(POINT_COLUMNS)
    boxed = {row["bag_id"] for row in rows.to_pylist() if row["kind"] == "box"}
    found: dict[int, dict[str, Any]] = {}
    for row in rows.to_pylist():
        if row["kind"] == "point" and row["bag_id"] not in boxed:
            found.setdefault(row["bag_id"], row)
    height, width = float(image["height"]), float(image["width"])
    kept = [found[bag_id] for bag_id in sorted(found)]
    at = [(min(row["x"], width), min(row["y"], height)) for row in kept]
    return PointBags(
        image_id=image["image_id"],
        bag_ids=tuple(sorted(found)),
        points=torch.tensor(at, dtype=torch.float32).reshape(-1, 2),
        labels=torch.tensor([order[row["category_id"]] for row in kept], dtype=torch.int64),
        size=(height, width),
    )


class PointIndex:
    """Points of any image of whole tables, for a training.

    Parameters
    ----------
    images, labels : tables sorted by their keys; labels with POINT_COLUMNS at least.
    category_ids : classes in the order of their indices.
    """

    def __init__(self, images: pa.Table, labels: pa.Table, category_ids: Sequence[int]):
        self.order = {category: index for index, category in enumerate(category_ids)}
        rows = {row["image_id"]: row for row in images.to_pylist()}
        spans = runs(labels.column("image_id").to_numpy()).items()
        of_image = {i: labels.slice(start, end - start) for i, (start, end) in spans}
        bags = {i: point_bags(rows[i], own, self.order) for i, own in sorted(of_image.items())}
        self._bags = {i: found for i, found in bags.items() if found.bag_ids}
        self._images: Mapping[int, Mapping[str, Any]] = rows

    @property
    def image_ids(self) -> list[int]:
        """Ids of the images with points, sorted."""
        return list(self._bags)

    def image(self, image_id: int) -> Mapping[str, Any]:
        """Row of table `images`."""
        return self._images[image_id]

    def bags(self, image_id: int) -> PointBags:
        """The points of one image, on its own pixel grid."""
        return self._bags[image_id]

    def tally(self) -> Sentence:
        """How many images and objects there are, for the log."""
        objects = sum(len(found.bag_ids) for found in self._bags.values())
        return f"{len(self._bags)} images, {objects} objects"
