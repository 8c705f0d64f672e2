"""The pipeline's choices of a proposal beside the trivial ones and the ceiling, as weights.

Every choice is a row of weights over the bag that sum to 1, so that `random` is not drawn but its
exact expectation: the mean over the bag.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stages.geometry.masks import Rle
from stages.metrics.mask_quality import MASK_IOU
from stages.mil.trivial import trivial_choices


@dataclass(frozen=True, slots=True)
class ScoredBag:
    """The proposals of one instance.

    rles : (n,) masks. boxes : (n, 4) xyxy px. area : (n,) px^2.
    proposal_id : (n,) their ids.
    slot : (n,) number of the mask in the segmenter's answer, from 0.
    is_own : (n,) bool, whether it answers the label's own prompt, none derived from it.
    predicted_iou : (n,) the segmenter's own estimate of IoU.
    """

    rles: Sequence[Rle]
    boxes: np.ndarray
    area: np.ndarray
    proposal_id: np.ndarray
    slot: np.ndarray
    is_own: np.ndarray
    predicted_iou: np.ndarray


def choice_weights(
    bag: ScoredBag, statistics: np.ndarray, chosen: Mapping[str, int]
) -> dict[str, np.ndarray]:
    """Weights of every choice over a bag that is not empty.

    Parameters
    ----------
    statistics : (n, s) of the masks, as `mask_quality.STATISTICS`.
    chosen : proposal_id of each choice that the pipeline made.

    Returns
    -------
    {choice: (n,) float64 that sums to 1}: the trivial choices, those of `chosen`, `random` (the
    mean over the bag) and `best_in_bag` (by mask IoU: the ceiling).
    """
    position = {int(number): k for k, number in enumerate(bag.proposal_id)}
    choices = trivial_choices(
        area=bag.area, slot=bag.slot, is_own=bag.is_own, predicted_iou=bag.predicted_iou
    )
    choices |= {name: position[number] for name, number in chosen.items()}
    choices["best_in_bag"] = int(statistics[:, MASK_IOU].argmax())
    size = len(position)
    weights = {"random": np.full(size, 1 / size)}
    for name, place in choices.items():
        weights[name] = np.zeros(size)
        weights[name][place] = 1
    return weights
