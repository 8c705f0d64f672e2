"""Random numbers that depend on the seed and on what they are for, never on order or shards."""

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """What random numbers are drawn for; a number stands for one purpose, for ever."""

    POINT = 1  # prepare: a point in a mask
    INNER_POINTS = 2  # propose: points inside SAM's first masks
    ORDER = 3  # of the images of an epoch
    FLIP = 4  # whether an image is mirrored in an epoch
    START = 5  # first weights of a detector
    STEP = 6  # anchors and RoIs of a detector's step
    PASTE = 7  # copy-paste
    NEGATIVE = 8  # negatives of PRM
    SIDE = 9  # of the images of a detector's step, where there are several
    DROP_BLOCK = 10  # what an adversary hides of a proposal's features
    CLUSTER = 11  # prompt: where clusters of points start
    AUGMENT = 12  # fit_prompt: how an image is changed in a step
    DROPOUT = 13  # what is dropped of an image's vectors in a step
    CROPS = 14  # fit_propose: which boxes are shown, and which crops of them
    SALIENT = 15  # fit_propose: which salient images are shown, and which crops of them
    ENHANCE = 16  # fit_prompt: boxes of P2BNet that are no object
    TEACHER = 17  # fit_propose: how large an image is shown to SIM's teacher in an epoch
    PROTOTYPES = 18  # fit_refine: pixels that prototypes start from
    GIVEN_MASK = 19  # prepare: whether an object's mask is given beside the weak labels
    HALF = 20  # train: which of two detectors learns from an image


def rng_of(seed: int, purpose: Purpose, *numbers: int) -> np.random.Generator:
    """A generator for one purpose.

    Parameters
    ----------
    seed : of the run. numbers : what is drawn for, such as an id or a step; 0 or more each.
    """
    return np.random.default_rng([seed, purpose, *numbers])
