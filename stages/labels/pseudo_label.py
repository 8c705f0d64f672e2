"""One pseudo-label of an image, as the transforms of this room take and give it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from stages.geometry.boxes import clip_boxes
from stages.geometry.masks import Rle, rle_areas, rle_boxes, rle_of

DIGITS = 6  # of scores; float32 holds no more
EMPTY, REFINE = "the mask has no pixels", "refine does not trust the mask"


@dataclass(frozen=True, slots=True, eq=False)
class PseudoLabel:
    """An object's mask with the boxes that are known of the object.

    Attributes
    ----------
    image_id, instance_id : whose it is; the latter is unique in its image.
    rle : the mask; may be empty.
    score : how sure the class is, 0 to 1.
    mask_weight : from 0; at 0 the mask is not trusted, and the object is trained by its box alone.
    untrusted : why, where it is 0: EMPTY, REFINE, or what the transform says that took the weight.
    stand_in : (4,) float32 xyxy px inside the image, the box to train where mask_weight is 0 and
        nobody gave one; where it is above 0 the hull of the mask is.
    refined : (4,) float32 xyxy px, the box that refine knows: given, found, or the mask's hull.
    given : (4,) float32 xyxy px, the same where a person gave it, else None.
    agreement : IoU of the mask's hull with a known box, 0 to 1, or None where nobody asked.
    ignored : pixels that no training looks at; None: there are none.
    """

    image_id: int
    instance_id: int
    rle: Rle
    score: float
    mask_weight: float
    stand_in: np.ndarray
    refined: np.ndarray
    given: np.ndarray | None = None
    agreement: float | None = None
    untrusted: str | None = None
    ignored: Rle | None = None

    @property
    def area(self) -> int:
        """Pixels of the mask."""
        return int(rle_areas([self.rle])[0])

    @property
    def hull(self) -> np.ndarray:
        """Box of the mask's pixels, (4,) float32 xyxy px, half-open; zeros for none."""
        return np.asarray(rle_boxes([self.rle])[0])

    @property
    def own_box(self) -> np.ndarray:
        """The box that a person gave; the hull of the mask where there is none, (4,) xyxy px."""
        return self.hull if self.given is None else self.given

    @property
    def trained_box(self) -> np.ndarray:
        """The box to train: the given one, else the hull of a trusted mask, else `stand_in`."""
        if self.given is not None:
            return clip_boxes(self.given, *self.rle["size"])
        return self.hull if self.mask_weight else self.stand_in


def pseudo_label_of(row: dict[str, Any]) -> PseudoLabel:
    """A row of table `pseudo_labels`; a mask without pixels is trusted by nobody."""
    rle = rle_of(row["rle"], row["height"], row["width"])
    box = np.array(row["box"], dtype=np.float32)
    weight = row["mask_weight"] if rle_areas([rle])[0] else 0.0
    ignored = row.get("ignore_rle")  # not read where labels are scored
    return PseudoLabel(
        image_id=row["image_id"],
        instance_id=row["instance_id"],
        rle=rle,
        score=round(row["score"], DIGITS),  # as written, so that drop_below is as it reads
        mask_weight=weight,
        untrusted=None if weight else REFINE if row["mask_weight"] == 0 else EMPTY,
        stand_in=clip_boxes(box, row["height"], row["width"]),
        refined=box,
        given=box if row["box_given"] else None,
        ignored=None if ignored is None else rle_of(ignored, row["height"], row["width"]),
    )
