"""Tables to bags: the proposals of one image as padded tensors, without their masks.

An index over the tables stays in memory (boxes and scores, about 60 bytes a proposal); bags are cut
out of it image by image.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from stages.runtime.program import Sentence
from stages.tables.table import boxes_of

TENSORS = ("boxes", "valid", "quality", "points", "labels", "lengths")
CHOICES = ("chosen", "bag_scores", "scores")  # only after select


@dataclass(frozen=True, slots=True)
class ImageBags:
    """The bags of one image: n instances, m = the longest bag.

    boxes : (n, m, 4) float32 xyxy px; 0 where padded.
    valid : (n, m) bool, false for padding and for empty masks.
    quality : (n, m) float32, the IoU that SAM predicts, cut to [0, 1].
    points : (n, 2) float32 x, y px. labels : (n,) int64, classes from 0 in the categories' order.
    lengths : (n,) int64, real bag lengths.
    size : (height, width) of the pixel grid that the boxes refer to.
    chosen : (n,) int64, slot that select chose; bag_scores : (n,) float32, PSM's bag score of the
        labelled class; scores : (n, m) float32, the score that decided; all only after select.
    """

    image_id: int
    instance_ids: tuple[int, ...]
    boxes: Tensor
    valid: Tensor
    quality: Tensor
    points: Tensor
    labels: Tensor
    lengths: Tensor
    size: tuple[float, float]
    chosen: Tensor | None = None
    bag_scores: Tensor | None = None
    scores: Tensor | None = None

    def usable(self) -> Tensor:
        """(n,) bool: the bag has at least one valid proposal."""
        return self.valid.any(dim=1)

    def scaled(self, factor: float, *, flip: bool = False) -> "ImageBags":
        """The same bags on a grid `factor` times as large, mirrored left to right or not."""
        height, width = self.size[0] * factor, self.size[1] * factor
        boxes, points = self.boxes * factor, self.points * factor
        if flip:
            x0, y0, x1, y1 = boxes.unbind(-1)
            boxes = torch.stack([width - x1, y0, width - x0, y1], dim=-1)
            points = torch.stack([width - points[:, 0], points[:, 1]], dim=-1)
        return replace(self, boxes=boxes, points=points, size=(height, width))

    def to(self, device: torch.device) -> "ImageBags":
        """The same bags on `device`."""
        tensors = {name: getattr(self, name) for name in (*TENSORS, *CHOICES)}
        moved = {name: value.to(device) for name, value in tensors.items() if value is not None}
        return replace(self, **moved)

    def box_psm(self) -> Tensor:
        """(n, 4) boxes of the proposals that select chose.

        Raises
        ------
        RuntimeError : the bags were read without select's table.
        """
        if self.chosen is None:
            raise RuntimeError("these bags were read without the table of selections.")
        return self.boxes[torch.arange(len(self.boxes), device=self.boxes.device), self.chosen]


class BagIndex:
    """Bags of any image of the tables, by image id.

    Parameters
    ----------
    images, labels, proposals : tables sorted by their keys; proposals need no masks.
    category_ids : classes in the order of their indices.
    selections : select's table of the same proposals, or None.

    Raises
    ------
    ValueError : proposals and selections are not about the same proposals.
    """

    def __init__(
        self,
        images: pa.Table,
        labels: pa.Table,
        proposals: pa.Table,
        category_ids: Sequence[int],
        selections: pa.Table | None = None,
    ):
        self.sizes = {
            row["image_id"]: (float(row["height"]), float(row["width"]), row["file_name"])
            for row in images.select(["image_id", "height", "width", "file_name"]).to_pylist()
        }
        order = {category: index for index, category in enumerate(category_ids)}
        self.label_of = {
            row["instance_id"]: (row["x"], row["y"], order[row["category_id"]])
            for row in labels.select(["instance_id", "x", "y", "category_id"]).to_pylist()
        }
        self.labelled = labels.column("image_id").to_numpy()
        self.boxes = boxes_of(proposals)
        self.quality = np.clip(proposals.column("sam_score").to_numpy(), 0, 1)
        self.valid = proposals.column("valid").to_numpy(zero_copy_only=False)
        self.instance = proposals.column("instance_id").to_numpy()
        self.image = proposals.column("image_id").to_numpy()
        self.spans = _spans(self.image)
        self.selections = _selections(selections, self.instance)

    @property
    def image_ids(self) -> list[int]:
        """Ids of the images that have proposals, sorted."""
        return sorted(self.spans)

    def file_name(self, image_id: int) -> str:
        """Path of an image inside the image folder."""
        return str(self.sizes[image_id][2])

    def tally(self, image_ids: Sequence[int]) -> Sentence:
        """How many instances these images have, and how many lack proposals, for the log."""
        image, instance = self.image, self.instance
        changed = (image[1:] != image[:-1]) | (instance[1:] != instance[:-1])
        starts = np.flatnonzero(np.concatenate([[len(image) > 0], changed]))
        full = np.logical_or.reduceat(self.valid, starts) if len(starts) else np.zeros(0, bool)
        mine = np.isin(image[starts], image_ids)
        total = int(np.isin(self.labelled, image_ids).sum())
        return (
            f"{len(image_ids)} images, {total} instances, {total - mine.sum()} without proposals, "
            f"{(mine & ~full).sum()} with empty masks only"
        )

    def rows(self, image_id: int) -> slice:
        """Rows of an image in the table of proposals."""
        return slice(*self.spans[image_id])

    def bags(self, image_id: int) -> ImageBags:
        """The bags of one image, on the image's own pixel grid."""
        rows = self.rows(image_id)
        spans = _spans(self.instance[rows])
        longest = max(end - start for start, end in spans.values())
        slots = np.stack([_padded_slots(start, end, longest) for start, end in spans.values()])
        real = torch.from_numpy(slots >= 0)  # (n, m)
        facts = [self.label_of[instance] for instance in spans]
        return ImageBags(
            image_id=image_id,
            instance_ids=tuple(int(instance) for instance in spans),
            boxes=torch.from_numpy(self.boxes[rows][slots]) * real[..., None],
            valid=torch.from_numpy(self.valid[rows][slots]) & real,
            quality=torch.from_numpy(self.quality[rows][slots]) * real,
            points=torch.tensor([fact[:2] for fact in facts], dtype=torch.float32),
            labels=torch.tensor([fact[2] for fact in facts]),
            lengths=real.sum(dim=1),
            size=self.sizes[image_id][:2],
            **self._choices(rows, slots),
        )

    def _choices(self, rows: slice, slots: np.ndarray) -> dict[str, Any]:
        if self.selections is None:
            return {}
        selected, bag_score, score = (column[rows] for column in self.selections)
        chosen = (selected[slots] & (slots >= 0)).argmax(axis=1)
        scores = np.where(slots >= 0, score[slots], 0)  # (n, m)
        values = (chosen, bag_score[slots[:, 0]], scores)
        return {n: torch.from_numpy(v) for n, v in zip(CHOICES, values, strict=True)}


def _selections(
    selections: pa.Table | None, instances: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Columns `selected`, `bag_score` and `score`, once it is sure whose rows they are."""
    if selections is None:
        return None
    if not np.array_equal(selections.column("instance_id").to_numpy(), instances):
        raise ValueError("select's tables are not about these proposals. Rerun with -R select.")
    selected = selections.column("selected").to_numpy(zero_copy_only=False)
    bag_score, score = (selections.column(name).to_numpy() for name in ("bag_score", "score"))
    return selected, bag_score, score


def _spans(keys: np.ndarray) -> dict[int, tuple[int, int]]:
    """First row and row behind the last of each run of equal keys, in order."""
    if not len(keys):
        return {}
    edges = [0, *(np.flatnonzero(keys[1:] != keys[:-1]) + 1).tolist(), len(keys)]
    return {int(keys[a]): (a, b) for a, b in pairwise(edges)}


def _padded_slots(start: int, end: int, longest: int) -> np.ndarray:
    slots = np.full(longest, -1)
    slots[: end - start] = np.arange(start, end)
    return slots
