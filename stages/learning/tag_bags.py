"""Tables to bags of tags: all proposals of an image as tensors, and the classes it holds.

The one bag of an image's tags has `bag_id` -1. WeakSAM, Sec. 3.3: exact duplicates among the boxes
are dropped before learning, and so are boxes with a side under a limit; here they keep their rows,
since the tables have them, and copies take the scores of the first of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from stages.geometry.box_tensors import mirrored_tensor, tensor_area
from stages.labels.tags import tags_of
from stages.tables.table import boxes_of
from stages.tables.weak_labels import TAG_BAG

LEAST_PRIOR = 1e-6  # under a logarithm
TENSORS = ("boxes", "valid", "quality", "stands_for", "tags")


@dataclass(frozen=True, slots=True)
class TagBags:
    """The bag of tags of one image: r rows, c classes.

    boxes : (r, 4) float32 xyxy px.
    valid : (r,) bool, what is learned from: false for empty masks, for boxes that are too small,
        and for a box that stands in an earlier row already.
    quality : (r,) float32, the IoU that the segmenter predicts, cut to [0, 1].
    stands_for : (r,) int64, row whose scores a row has, its own or that of an equal box; -1 where
        it has none.
    tags : (c,) float32, 1 for the classes in the image, in the categories' order.
    size : (height, width) of the pixel grid that the boxes refer to.
    """

    image_id: int
    boxes: Tensor
    valid: Tensor
    quality: Tensor
    stands_for: Tensor
    tags: Tensor
    size: tuple[float, float]

    def usable(self) -> Tensor:
        """(u, 4) boxes that are learned from."""
        return self.boxes[self.valid]

    def prior(self, *, size: float, quality: float) -> Tensor:
        """What is thought of each row before anything is learned, (r,) in [0, 1].

        Parameters
        ----------
        size, quality : powers of the box's share of the image and of `quality`; 0: not used.
        """
        share = tensor_area(self.boxes) / (self.size[0] * self.size[1])
        product: Tensor = share.clamp(0, 1) ** size * self.quality**quality
        return product

    def start(self, *, size: float, quality: float) -> Tensor:
        """What the logits of usable boxes start from, (u, 1): a softmax is then times `prior`."""
        prior = self.prior(size=size, quality=quality)[self.valid]
        return prior.clamp(min=LEAST_PRIOR).log()[:, None]

    def scaled(self, factor: float, *, flip: bool = False) -> "TagBags":
        """The same bag on a grid `factor` times as large, mirrored left to right or not."""
        height, width = self.size[0] * factor, self.size[1] * factor
        boxes = self.boxes * factor
        if flip:
            boxes = mirrored_tensor(boxes, width)
        return replace(self, boxes=boxes, size=(height, width))

    def to(self, device: torch.device) -> "TagBags":
        """The same bag on `device`."""
        return replace(self, **{name: getattr(self, name).to(device) for name in TENSORS})

    def rows_of(self, values: Tensor, *, fill: float = 0.0) -> Tensor:
        """What was found of the usable boxes, (u, ...), for every row, (r, ...).

        Parameters
        ----------
        fill : for rows without scores.
        """
        place = self.valid.cumsum(dim=0) - 1  # of each valid row among the usable
        known = self.stands_for >= 0
        out = values.new_full((len(self.boxes), *values.shape[1:]), fill)
        out[known] = values[place[self.stands_for[known]]]
        return out


def tag_bags(
    image: Mapping[str, Any],
    labels: pa.Table,
    proposals: pa.Table,
    order: Mapping[int, int],
    *,
    min_side: float,
) -> TagBags:
    """The bag of tags of one image, on the image's own pixel grid.

    Parameters
    ----------
    image : row of table `images`. labels, proposals : its rows of these tables.
    order : index of each class, by category_id. min_side : px, of the shorter side.

    Raises
    ------
    ValueError : a bag is of an object, or the image has no tag that counts.
    """
    tags = tags_of(labels)
    _check(image["image_id"], proposals, tags)
    boxes = boxes_of(proposals)
    valid = proposals.column("valid").to_numpy(zero_copy_only=False)
    large = (boxes[:, 2:] - boxes[:, :2]).min(axis=1) >= min_side
    stands_for = first_equals(boxes, valid & large)
    hot = torch.zeros(len(order))
    hot[[order[category] for category in tags]] = 1
    quality = np.clip(proposals.column("predicted_iou").to_numpy(), 0, 1).astype(np.float32)
    return TagBags(
        image_id=image["image_id"],
        boxes=torch.tensor(boxes, dtype=torch.float32),
        valid=torch.from_numpy(stands_for == np.arange(len(boxes))),
        quality=torch.from_numpy(quality),
        stands_for=torch.from_numpy(stands_for),
        tags=hot,
        size=(float(image["height"]), float(image["width"])),
    )


def _check(image_id: int, proposals: pa.Table, tags: Mapping[int, int]) -> None:
    strangers = sorted(set(proposals.column("bag_id").to_pylist()) - {TAG_BAG})
    if strangers:
        raise ValueError(
            f"image {image_id}: bag {strangers[0]} is of one object, but oicr and mist learn from "
            "the tags of whole images. Set prepare.labels: tag and prompt.sources to a grid, or "
            "select.method: psm."
        )
    if not tags:
        raise ValueError(
            f"image {image_id}: there is a bag of tags, but no tag among the weak labels. The "
            "tables are of different runs: rerun with -R propose."
        )


def first_equals(boxes: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """For each row the first usable one with an equal box, (r, 4) and (r,) bool to (r,) int64.

    -1 for rows that are not usable.
    """
    _, number = np.unique(boxes, axis=0, return_inverse=True)
    rows = np.arange(len(boxes))
    first = np.full(len(boxes), len(boxes))
    np.minimum.at(first, number.reshape(-1)[usable], rows[usable])
    found: np.ndarray = np.where(usable, first[number.reshape(-1)], -1).astype(np.int64)
    return found
