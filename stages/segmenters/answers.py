"""What SAM answers: masks as run-length codes with their scores, cleaned of stray components."""

from dataclasses import dataclass

import cv2
import numpy as np

from stages.geometry.masks import Rle, rles_to_masks


@dataclass(frozen=True, slots=True)
class Answer:
    """One mask of SAM.

    slot : number of the mask among those of its prompt, from 0.
    area : px^2; 0 for an empty mask.
    sam_score : IoU that SAM predicts for it. stability : 0 to 1.
    """

    slot: int
    rle: Rle
    area: int
    sam_score: float
    stability: float

    def mask(self) -> np.ndarray:
        """(height, width) uint8 in {0, 1}."""
        return np.asarray(rles_to_masks([self.rle])[0])


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
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if count <= 2:  # background and one component
        return mask
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    row, column = int(point[1]), int(point[0])
    under = labels[min(row, mask.shape[0] - 1), min(column, mask.shape[1] - 1)]
    measure = areas[under] if under else areas.max()
    return np.asarray((areas >= share * measure)[labels] & mask)
