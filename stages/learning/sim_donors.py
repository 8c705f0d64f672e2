"""Whose objects are pasted into an image of SIM's teacher; a function of seed, step and image.

SIM (Li et al., CVPR 2023), Sec. 3.3, draws from a bank of the last images, first in, first out.
Here nothing is remembered: the bank is the window of the images that stand before the step's in
the order of its epoch, which begins again at its end, so that it is full from the first step on.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stages.box_supervision.pasting import drawn, pastable
from stages.geometry.masks import rle_areas, rle_of
from stages.learning.sim_index import TeacherIndex
from stages.learning.trainer import images_of_step
from stages.runtime.program import Sentence
from stages.runtime.randomness import Purpose, rng_of
from stages.settings.segmenters.sim import TeacherTraining
from stages.settings.teacher_paste import TeacherPaste


@dataclass(frozen=True, slots=True)
class Donor:
    """Objects to paste.

    rows : (p,) places among the image's objects. flip : whether the image is mirrored in the epoch.
    """

    image_id: int
    rows: np.ndarray
    flip: bool


def donor_of(
    index: TeacherIndex, step: int, image_id: int, training: TeacherTraining, *, seed: int
) -> Donor | None:
    """What is pasted into an image at a step; None for nothing.

    Of the images of the bank that have an object to paste, but for the image itself, one is drawn.
    """
    paste, ids = training.paste, index.image_ids
    epoch = step // math.ceil(len(ids) / training.batch_images)
    rng = rng_of(seed, Purpose.PASTE, epoch, image_id)
    if rng.random() >= paste.probability:
        return None
    window = window_of(ids, step, training, bank=paste.bank, seed=seed)
    for place in rng.permutation(len(window)).tolist():
        other, flip = window[place]
        rows = rows_to_paste(index, other, paste)
        if len(rows) and other != image_id:
            scores = _column(index, other, rows, "score")
            chosen = drawn(scores, rng, share=paste.share, most=paste.most, power=paste.power)
            return Donor(other, rows[chosen], flip)
    return None


def window_of(
    image_ids: Sequence[int], step: int, training: TeacherTraining, *, bank: int, seed: int
) -> list[tuple[int, bool]]:
    """The images that may be pasted from at a step, and whether each is mirrored in its epoch.

    Returns
    -------
    The `bank` images before those of the step, the last one first; all where there are no more.
    """
    per_epoch = math.ceil(len(image_ids) / training.batch_images)
    epoch, own = divmod(step, per_epoch)
    found = list[tuple[int, bool]]()
    for back in range(1, per_epoch + 1):  # the step's own images are the last
        if len(found) < bank:
            past = epoch * per_epoch + (own - back) % per_epoch
            found += reversed(images_of_step(image_ids, past, training, seed=seed))
    return found[:bank]


def rows_to_paste(index: TeacherIndex, image_id: int, paste: TeacherPaste) -> np.ndarray:
    """Places of an image's objects that may be pasted, (p,), rising; see `pastable`."""
    former, image = index.objects[image_id].former, index.images[image_id]
    known = np.array([place for place, row in enumerate(former) if row], dtype=np.int64)
    if not len(known):
        return known
    size = image["height"], image["width"]
    areas = rle_areas([rle_of(row["rle"], *size) for row in former if row])
    weights, scores = (_column(index, image_id, known, name) for name in ("mask_weight", "score"))
    return np.asarray(known[pastable(weights, scores, areas, power=paste.power)])


def _column(index: TeacherIndex, image_id: int, rows: np.ndarray, name: str) -> np.ndarray:
    former = index.objects[image_id].former
    found = [row[name] for row in (former[place] for place in rows) if row]
    return np.array(found, dtype=np.float64)


def nothing_to_paste(index: TeacherIndex, paste: TeacherPaste) -> Sentence:
    """Why nothing will be pasted although it is asked for; else empty."""
    if not paste.enabled:
        return ""
    if not any(row for each in index.objects.values() for row in each.former):
        return "nothing is pasted: there are no trusted masks of a round before."
    if not any(len(rows_to_paste(index, number, paste)) for number in index.image_ids):
        return "nothing is pasted: all masks of the round before are empty or have the score 0."
    return ""
