"""One pseudo-label of an image, as the transforms of this room take and give it."""

from dataclasses import dataclass

import numpy as np

from stages.geometry.masks import Rle, rle_areas, rle_boxes


@dataclass(frozen=True, slots=True, eq=False)
class PseudoLabel:
    """An object's mask with the boxes that are known of the object.

    Attributes
    ----------
    image_id, instance_id : whose it is; the latter is unique in its image.
    rle : the mask; may be empty.
    score : how sure the class is, 0 to 1.
    mask_weight : 0 to 1; at 0 the mask is not trusted, and the object is trained by its box alone.
    stand_in : (4,) float32 xyxy px inside the image, the box to train where mask_weight is 0; where
        it is above 0 the hull of the mask is.
    refined : (4,) float32 xyxy px, the box that refine found.
    given : (4,) float32 xyxy px of the weak label, or None for a point.
    agreement : IoU of the mask's hull with a known box, 0 to 1, or None where nobody asked.
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
