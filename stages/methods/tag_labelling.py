"""From detections that became pseudo ground truth to rows of `pseudo_labels` and `trail`.

Shared by the refiners of tags. An object that is born of a tag has the ids -1, -2, ... in its
image, in the order of its class and then of falling score. Its score is that of its class in the
image times its normalised score, so that the best of a class counts as much as the class is sure.
WeakSAM, Sec. 3.4 and 3.6; that the segmenter gives one mask for a box is our reading (its code was
not published).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stages.geometry.boxes import box_iou
from stages.geometry.masks import Rle, masks_to_rles, rle_areas, rle_boxes, rle_of, rles_to_masks
from stages.methods.detections import Detections
from stages.methods.kit import Kit
from stages.photographs.reading import photograph
from stages.segmenters.answers import without_stray_components
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.table import rows_table
from stages.tables.trail import TRAIL
from stages.tables.weak_labels import TAG_BAG

LEAST_FIT = 0.1  # IoU of a mask's box with the one asked about; below it, it is another thing


@dataclass(frozen=True, slots=True)
class Chosen:
    """One detection that became pseudo ground truth; normalised : its score, 0 to 1."""

    category_id: int
    label_id: int
    proposal_id: int
    box: np.ndarray
    score: float
    normalised: float
    bag_score: float


@dataclass(frozen=True, slots=True)
class Mask:
    """A mask, where it comes from (a word of `mask_source`), and how good it is thought to be."""

    rle: Rle
    source: str
    quality: float


def chosen_of(found: Detections, numbers: np.ndarray, normalised: np.ndarray) -> list[Chosen]:
    """The detections of a class with these numbers, by falling score.

    Parameters
    ----------
    numbers : (k,) int. normalised : (n,) of all of them.
    """
    order = sorted(numbers.tolist(), key=lambda i: (-found.scores[i], i))
    return [
        Chosen(
            found.category_id,
            found.label_id,
            int(found.proposal_id[i]),
            found.boxes[i],
            float(found.scores[i]),
            float(normalised[i]),
            found.bag_score,
        )
        for i in order
    ]


class TagLabeller:
    """Rows of one image after the other."""

    def __init__(self, kit: Kit):
        self.kit = kit

    def rows(
        self, image: Mapping[str, Any], proposals: pa.Table, chosen: Sequence[Chosen]
    ) -> tuple[pa.Table, pa.Table]:
        """Rows of the tables `pseudo_labels` and `trail` of one image.

        Parameters
        ----------
        proposals : rows of the table, masks included. chosen : of all classes, in their order.
        """
        masks = self._masks(image, proposals, chosen)
        pairs = [(one, mask) for one, mask in zip(chosen, masks, strict=True) if mask is not None]
        rows, trail = [], []
        for number, (one, mask) in reversed(list(enumerate(pairs, 1))):  # keys rise: -3, -2, -1
            ids = {"image_id": image["image_id"], "instance_id": -number}
            rows.append({**ids, **_label(image, one, mask)})
            trail += [{**ids, **step} for step in _steps(one)]
        return rows_table(PSEUDO_LABELS, rows), rows_table(TRAIL, trail)

    def _masks(
        self, image: Mapping[str, Any], proposals: pa.Table, chosen: Sequence[Chosen]
    ) -> list[Mask | None]:
        own = _own_masks(image, proposals, chosen)
        boxes = np.array([one.box for one in chosen], dtype=np.float64).reshape(-1, 4)
        asked = self._asked(image, boxes, own)
        if asked is None:
            return [*own]
        return [self._fitting(mask, box) for mask, box in zip(asked, boxes, strict=True)]

    def _asked(
        self, image: Mapping[str, Any], boxes: np.ndarray, own: Sequence[Mask]
    ) -> list[Mask] | None:
        """What the segmenter sees about boxes, or None where nobody asks."""

        def pixels() -> np.ndarray:
            return photograph(self.kit.image_folder, image)

        if self.kit.zoom is not None:
            seen = self.kit.zoom.rles(image, boxes, pixels)
            pairs = zip(seen, own, strict=True)
            return [self._close_up(counts, mask, image) for counts, mask in pairs]
        if self.kit.boxes is None:
            return None
        answers = self.kit.boxes.masks(image, boxes, pixels)
        return [Mask(a.rle, "box_prompt", _quality(a.predicted_iou)) for a in answers]

    def _close_up(self, counts: bytes, own: Mask, image: Mapping[str, Any]) -> Mask:
        """A mask close up without strays, beside its largest part; its proposal's quality stays."""
        assert self.kit.refine is not None
        mask = rles_to_masks([rle_of(counts, image["height"], image["width"])])[0].astype(bool)
        outside = np.full(2, -1.0)
        kept = without_stray_components(mask, outside, self.kit.refine.clean)
        return Mask(masks_to_rles(kept[None])[0], "zoom", own.quality)

    def _fitting(self, mask: Mask, box: np.ndarray) -> Mask | None:
        """The mask, where it is about the box; else the box itself, filled, or nothing."""
        hull = rle_boxes([mask.rle]).astype(np.float64)
        fits = rle_areas([mask.rle])[0] > 0 and box_iou(hull, box[None])[0, 0] >= LEAST_FIT
        if fits:
            return mask
        if self.kit.block.on_empty == "drop":
            return None
        return Mask(filled(box, *mask.rle["size"]), "box", 0.0)


def filled(box: np.ndarray, height: int, width: int) -> Rle:
    """The mask of all pixels that a box touches."""
    mask = np.zeros((1, height, width), dtype=np.uint8)
    x0, y0 = np.floor(box[:2]).astype(int)
    x1, y1 = np.ceil(box[2:]).astype(int)
    mask[0, y0:y1, x0:x1] = 1
    return masks_to_rles(mask)[0]


def _own_masks(
    image: Mapping[str, Any], proposals: pa.Table, chosen: Sequence[Chosen]
) -> list[Mask]:
    """The masks of the proposals that were chosen."""
    bag = proposals.filter(pc.equal(proposals.column("bag_id"), TAG_BAG))
    numbers = pa.array([one.proposal_id for one in chosen], pa.int64())  # of none, too
    rows = bag.select(["rle", "predicted_iou"]).take(numbers)
    size = image["height"], image["width"]
    return [
        Mask(rle_of(row["rle"], *size), "proposal", _quality(row["predicted_iou"]))
        for row in rows.to_pylist()
    ]


def _quality(predicted_iou: float) -> float:
    return min(max(predicted_iou, 0.0), 1.0)


def _label(image: Mapping[str, Any], one: Chosen, mask: Mask) -> dict[str, Any]:
    return {
        "label_ids": [one.label_id],
        "category_id": one.category_id,
        "box": one.box.tolist(),
        "box_given": False,
        "rle": mask.rle["counts"],
        **{name: image[name] for name in ("height", "width")},
        "score": min(max(one.bag_score, 0.0), 1.0) * one.normalised,
        "mask_quality": mask.quality,
        "mask_source": mask.source,
        "proposal_id": one.proposal_id,
        "extra_rles": [],
        "mask_weight": 1.0,
    }


def _steps(one: Chosen) -> list[dict[str, Any]]:
    common = {"box": one.box.tolist(), "proposal_id": one.proposal_id, "note": ""}
    return [
        {**common, "step": 0, "name": "wsod", "score": one.score},
        {**common, "step": 1, "name": "pgt", "score": one.normalised},
    ]
