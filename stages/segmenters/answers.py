"""What a segmenter answers: masks as run-length codes with their scores, cleaned of strays."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from stages.geometry.boxes import touched_pixels
from stages.geometry.masks import Rle, masks_to_rles, rle_areas, rle_boxes, rles_to_masks
from stages.geometry.soft_masks import soft_of
from stages.segmenters.segmenter import Answered


@dataclass(frozen=True, slots=True)
class Answer:
    """One mask of a segmenter.

    slot : number of the mask among those of its prompt, from 0.
    area : px^2; 0 for an empty mask.
    predicted_iou : the segmenter's own estimate. stability : 0 to 1.
    soft : its probabilities within its bounding box, as `stages.geometry.soft_masks` has them; None
        where the segmenter gives none, and for an empty mask.
    """

    slot: int
    rle: Rle
    area: int
    predicted_iou: float
    stability: float
    soft: bytes | None = None

    def mask(self) -> np.ndarray:
        """(height, width) uint8 in {0, 1}."""
        return np.asarray(rles_to_masks([self.rle])[0])


def answers_of(
    answered: Answered,
    anchor: np.ndarray,
    *,
    share: float,
    slots: Sequence[int] | None = None,
    box: np.ndarray | None = None,
) -> list[Answer]:
    """The masks of one prompt, cleaned and encoded, in the order of their slots.

    Parameters
    ----------
    anchor : (2,) x, y px on the object. share : as in `without_stray_components`.
    slots : numbers of the masks that are wanted; None: all.
    box : (4,) xyxy px, outside of which the masks are cut away first; None: nowhere.
    """
    wanted = range(len(answered.masks)) if slots is None else slots
    if not wanted:
        return []
    cut = [cut_to(answered.masks[slot], box) for slot in wanted]
    masks = [without_stray_components(mask, anchor, share) for mask in cut]
    rles = masks_to_rles(masks)
    areas = rle_areas(rles).tolist()
    ious, stability = answered.predicted_iou.tolist(), answered.stability.tolist()
    return [
        Answer(slot, rle, area, ious[slot], stability[slot], _soft(answered, slot, rle, area))
        for slot, rle, area in zip(wanted, rles, areas, strict=True)
    ]


def _soft(answered: Answered, slot: int, rle: Rle, area: int) -> bytes | None:
    if answered.chances is None or not area:
        return None
    return soft_of(answered.chances[slot], rle_boxes([rle])[0])


def cut_to(mask: np.ndarray, box: np.ndarray | None) -> np.ndarray:
    """A mask, (height, width) bool, without the pixels that a box, (4,) xyxy px, does not touch.

    The mask itself where there is no box.
    """
    if box is None:
        return mask
    kept = np.zeros_like(mask)
    inside = touched_pixels(box, *mask.shape)
    kept[inside] = mask[inside]
    return kept


def without_stray_components(mask: np.ndarray, point: np.ndarray, share: float) -> np.ndarray:
    """Drop the components that are much smaller than the one under `point`.

    Parameters
    ----------
    mask : (height, width) bool.
    point : (2,) x, y px; where it lies beside the mask, the largest component is the measure.
    share : components below this share of the measure's area go; 0 keeps all.

    Returns
    -------
    (height, width) bool.
    """
    if share == 0:
        return mask
    pixels = mask.view(np.uint8)
    x, y, width, height = cv2.boundingRect(pixels)
    if not width:
        return mask
    count, labels = cv2.connectedComponents(pixels[y : y + height, x : x + width])
    if count <= 2:  # background and one component
        return mask
    row, column = min(int(point[1]), mask.shape[0] - 1), min(int(point[0]), mask.shape[1] - 1)
    under = labels[row - y, column - x] if y <= row < y + height and x <= column < x + width else 0
    kept = np.zeros_like(mask)
    large = _large(labels, int(under), count, share)
    kept[y : y + height, x : x + width] = large.take(np.asarray(labels))
    return kept


def _large(labels: np.ndarray, under: int, count: int, share: float) -> np.ndarray:
    """Which of `count` labels, the background aside, are large against the one `under`, or all."""
    areas = np.bincount(labels.ravel(), minlength=count)
    areas[0] = 0
    large = areas >= share * (areas[under] if under else areas.max())
    large[0] = False
    return np.asarray(large)
