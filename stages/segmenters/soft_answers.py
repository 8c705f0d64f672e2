"""Probabilities as the answer to a prompt: what segmenters say that learn from boxes."""

import numpy as np
import torch

from stages.box_supervision.box_crops import Crop
from stages.segmenters.full_size import stability_scores
from stages.segmenters.segmenter import Answered

LEAST = 1e-4  # probability; keeps logits finite


def answered(
    chances: np.ndarray, crop: Crop, *, threshold: float, offset: float, logits: bool
) -> Answered:
    """Probabilities as the answer to a prompt, in one slot.

    Parameters
    ----------
    chances : (height, width) float32 of 0 to 1, 0 outside the crop. threshold : above it a pixel is
        in the mask. offset : logits, of the stability score.
    logits : whether they are wanted; those of the threshold are 0, whatever it is.
    """
    x0, y0, x1, y1 = crop
    inside, middle = chances[y0:y1, x0:x1], float(np.log(threshold / (1 - threshold)))
    values = np.log(inside.clip(LEAST, 1 - LEAST)) - np.log((1 - inside).clip(LEAST, 1 - LEAST))
    mask = chances > threshold
    sure = float(chances[mask].mean()) if mask.any() else 0.0
    stable = stability_scores(torch.from_numpy(values)[None, None] - middle, 0.0, offset)
    whole = np.full((1, *chances.shape), np.log(LEAST) - middle, np.float32) if logits else None
    if whole is not None:
        whole[0, y0:y1, x0:x1] = values - middle
    return Answered(whole, mask[None], np.array([sure], np.float32), stable[0])
