"""Ways to choose one proposal of a bag without learning, to hold what is learnt against. Pure.

SAPNet, Tables 1 and 3, has SAM-top1 as its baseline; the others are ours.
"""

import numpy as np

SLOTS = "fixed_slot_"  # and the number of the mask in SAM's answer to the point, from 1


def trivial_choices(
    *, area: np.ndarray, slot: np.ndarray, is_own: np.ndarray, predicted_iou: np.ndarray
) -> dict[str, int]:
    """Positions in the bag of what may be chosen without learning; ties go to the first.

    Parameters
    ----------
    area : (n,) of the masks, px^2.
    slot : (n,) number of the mask in SAM's answer, from 0.
    is_own : (n,) bool, an answer to the label's own prompt.
    predicted_iou : (n,) the segmenter's own estimate.

    Returns
    -------
    {"largest", "median_area": of the whole bag (of an even number the upper),
    "fixed_slot_k": mask k of the point's answer, k from 1,
    "sam_top1": the point's answer with the highest score, or where that answer has no pixels in any
    mask, the whole bag's}; a choice that is not there is left out. Only a fixed slot may be an
    empty mask while another has pixels.
    """
    if not len(area):
        return {}
    by_area = area.argsort(kind="stable")
    chosen = {"largest": int(area.argmax()), "median_area": int(by_area[len(by_area) // 2])}
    point = np.flatnonzero(is_own)
    for position in point[::-1]:  # backwards, so that the first of two wins
        chosen[f"{SLOTS}{slot[position] + 1}"] = int(position)
    if len(point):
        chosen["sam_top1"] = _most_sure(point, area, predicted_iou)
    return chosen


def _most_sure(point: np.ndarray, area: np.ndarray, predicted_iou: np.ndarray) -> int:
    """The point's mask of the highest score; one without pixels only where all are without."""
    filled = np.flatnonzero(area > 0)
    own = point[area[point] > 0]
    among = own if len(own) else filled if len(filled) else point
    return int(among[predicted_iou[among].argmax()])
