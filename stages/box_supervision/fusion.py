"""The teacher's mask and the semantic map of its class, fused, and cut into what is sure.

SIM (CVPR 2023), Eq. 7. Within the box of an object, what is surely the object becomes foreground,
what is surely not becomes background, and no loss looks at what lies between. The main paper names
two thresholds without their values; those here are the released code's, where the upper one follows
how large the teacher's mask is. Outside the box nothing counts: the projection loss sees to that.
All comparisons are strict.
"""

from dataclasses import dataclass

import numpy as np

ALPHA = 0.5  # paper: of the teacher's mask
LOW, HIGH = 0.4, (0.7, 0.8)  # public code
SURE = 0.7  # public code: M_I above it is the object


@dataclass(frozen=True, slots=True)
class Decided:
    """What is sure of an object, each (height, width) bool, and nothing outside its box.

    foreground : surely the object. undecided : no loss looks at it.
    """

    foreground: np.ndarray
    undecided: np.ndarray


def fused(semantic: np.ndarray, instance: np.ndarray, *, alpha: float = ALPHA) -> np.ndarray:
    """M_prob of any shape, 0 to 1.

    Parameters
    ----------
    semantic : M_S, of Eq. 1. instance : M_I, of Eq. 6. alpha : the latter's weight, 0 to 1.

    Source: SIM, Eq. 7.
    """
    return np.asarray((1 - alpha) * semantic + alpha * instance)


def dynamic_threshold(
    chances: np.ndarray,
    instance: np.ndarray,
    inside: np.ndarray,
    *,
    sure: float = SURE,
    limits: tuple[float, float] = HIGH,
) -> float:
    """The upper threshold that leaves as many pixels as the teacher is sure of.

    Parameters
    ----------
    chances : (h, w) M_prob. instance : (h, w) M_I. inside : (h, w) bool, the box.
    sure : from where M_I counts. limits : between which the threshold stays.

    Returns
    -------
    M_prob at rank n, counted from 0 and falling, of n such pixels in the box; its lowest value
    where all are; the lower limit of an empty box.

    Source: SIM, public code (`dynamic_mask_head`).
    """
    falling = np.sort(chances[inside])[::-1]
    if not len(falling):
        return limits[0]
    rank = int((instance[inside] > sure).sum())
    return min(max(float(falling[min(rank, len(falling) - 1)]), limits[0]), limits[1])


def decided(chances: np.ndarray, inside: np.ndarray, *, high: float, low: float = LOW) -> Decided:
    """What of a box is foreground, and what is undecided.

    Parameters
    ----------
    chances : (h, w) M_prob. inside : (h, w) bool, the box.
    high, low : above is foreground, below background; low is no more than high.

    Source: SIM, Eq. 7.
    """
    foreground = inside & (chances > high)
    return Decided(foreground, inside & ~foreground & ~(chances < low))


def loss_weight(mask: Decided, inside: np.ndarray) -> np.ndarray:
    """W, (h, w) bool: the pixels of the box that a loss looks at.

    Source: SIM, Eq. 7 and 9.
    """
    return np.asarray(inside & ~mask.undecided)
