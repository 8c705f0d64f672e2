"""Tables to bags: the proposals of one image as padded tensors, without their masks.

Bags of an image are cut here, and nowhere else, from its rows of the tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from stages.geometry.box_tensors import mirrored_tensor
from stages.learning.labelled import labelled_bags
from stages.tables.spans import runs
from stages.tables.table import boxes_of

TENSORS = ("boxes", "valid", "quality", "points", "labels", "lengths")
CHOICES = ("chosen", "bag_scores", "guided_scores", "scores")  # only after select
BAG_COLUMNS = ("image_id", "bag_id", "proposal_id", "box", "predicted_iou", "valid")  # of proposals
PARTS = ("score_cls", "score_ins", "score_dis")  # factors of S, null where nothing was learned
CHOICE_COLUMNS = (
    *("image_id", "bag_id", "proposal_id", "selected", "bag_score", "score"),
    *PARTS,
)


@dataclass(frozen=True, slots=True)
class ImageBags:
    """The bags of one image: n objects, m = the longest bag.

    boxes : (n, m, 4) float32 xyxy px; 0 where padded.
    valid : (n, m) bool, false for padding and for empty masks.
    quality : (n, m) float32, the IoU that the segmenter predicts, cut to [0, 1].
    points : (n, 2) float32 x, y px; a box stands in with its centre.
    labels : (n,) int64, classes from 0 in the categories' order.
    lengths : (n,) int64, real bag lengths.
    size : (height, width) of the pixel grid that the boxes refer to.
    chosen : (n,) int64, slot that select chose; bag_scores : (n,) float32, PSM's bag score of the
        labelled class; guided_scores : (n,) float32, the same with S_dis in each term (Eq. 3);
        scores : (n, m) float32, the score that decided; all only after select.
    """

    image_id: int
    bag_ids: tuple[int, ...]
    boxes: Tensor
    valid: Tensor
    quality: Tensor
    points: Tensor
    labels: Tensor
    lengths: Tensor
    size: tuple[float, float]
    chosen: Tensor | None = None
    bag_scores: Tensor | None = None
    guided_scores: Tensor | None = None
    scores: Tensor | None = None

    def usable(self) -> Tensor:
        """(n,) bool: the bag has at least one valid proposal."""
        return self.valid.any(dim=1)

    def scaled(self, factor: float, *, flip: bool = False) -> "ImageBags":
        """The same bags on a grid `factor` times as large, mirrored left to right or not."""
        height, width = self.size[0] * factor, self.size[1] * factor
        boxes, points = self.boxes * factor, self.points * factor
        if flip:
            boxes = mirrored_tensor(boxes, width)
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


def image_bags(
    image: Mapping[str, Any],
    labels: pa.Table,
    proposals: pa.Table,
    selections: pa.Table | None,
    order: Mapping[int, int],
) -> ImageBags:
    """The bags of one image, on the image's own pixel grid.

    Parameters
    ----------
    image : row of table `images`.
    labels : its rows of table `weak_labels`, with `labelled.LABEL_COLUMNS` at least.
    proposals : its rows of that table, with BAG_COLUMNS at least; one or more.
    selections : rows of the same proposals with CHOICE_COLUMNS, or None.
    order : index of each class, by category_id.

    Raises
    ------
    ValueError : a bag belongs to no point or box, or the selections are of other proposals.
    """
    spans = runs(proposals.column("bag_id").to_numpy())
    longest = max(end - start for start, end in spans.values())
    slots = np.stack([_padded_slots(start, end, longest) for start, end in spans.values()])
    real = torch.from_numpy(slots >= 0)  # (n, m)
    known = labelled_bags(labels)
    _check_known(spans, known, image["image_id"])
    facts = [known[bag_id] for bag_id in spans]
    valid = proposals.column("valid").to_numpy(zero_copy_only=False)
    quality = np.clip(proposals.column("predicted_iou").to_numpy(), 0, 1)
    return ImageBags(
        image_id=image["image_id"],
        bag_ids=tuple(spans),
        boxes=torch.from_numpy(boxes_of(proposals)[slots]) * real[..., None],
        valid=torch.from_numpy(valid[slots]) & real,
        quality=torch.from_numpy(quality[slots]) * real,
        points=torch.tensor([fact.point for fact in facts], dtype=torch.float32),
        labels=torch.tensor([order[fact.category_id] for fact in facts]),
        lengths=real.sum(dim=1),
        size=(float(image["height"]), float(image["width"])),
        **_choices(proposals, selections, slots, image["image_id"]),
    )


def _check_known(spans: Mapping[int, Any], known: Mapping[int, Any], image_id: int) -> None:
    strangers = sorted(spans.keys() - known.keys())
    if strangers:
        raise ValueError(
            f"image {image_id}: there are proposals for bag {strangers[0]}, which has no point or "
            "box among the weak labels. The tables are of different runs: rerun with -R propose."
        )


def _choices(
    proposals: pa.Table, selections: pa.Table | None, slots: np.ndarray, image_id: int
) -> dict[str, Tensor]:
    if selections is None:
        return {}
    key = ("bag_id", "proposal_id")
    if not all(
        np.array_equal(selections.column(name).to_numpy(), proposals.column(name).to_numpy())
        for name in key
    ):
        raise ValueError(
            f"image {image_id}: select's table is not about these proposals. Rerun with -R select."
        )
    selected = selections.column("selected").to_numpy(zero_copy_only=False)
    bag_score, score = (selections.column(name).to_numpy() for name in ("bag_score", "score"))
    chosen = (selected[slots] & (slots >= 0)).argmax(axis=1)
    scores = np.where(slots >= 0, score[slots], 0)  # (n, m)
    own = bag_score[slots[:, 0]]
    values = (chosen, own, _guided(selections, slots, own), scores)
    return {n: torch.from_numpy(v) for n, v in zip(CHOICES, values, strict=True)}


def _guided(selections: pa.Table, slots: np.ndarray, plain: np.ndarray) -> np.ndarray:
    """Sum of S_cls S_ins S_dis over each bag, (n,); the plain bag score where these are null."""
    columns = [selections.column(name) for name in PARTS]
    if any(column.null_count for column in columns):
        return plain
    product = np.prod([column.to_numpy() for column in columns], axis=0)
    return np.asarray(np.where(slots >= 0, product[slots], 0).sum(axis=1), dtype=np.float32)


def _padded_slots(start: int, end: int, longest: int) -> np.ndarray:
    slots = np.full(longest, -1)
    slots[: end - start] = np.arange(start, end)
    return slots
