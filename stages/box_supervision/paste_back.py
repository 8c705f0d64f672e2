"""From the map of a crop to a mask of the image: 0 outside the box that was asked about.

BoxCaseg (CVPR 2021), public code: probabilities are stretched to 0 to 1 within the crop (not in the
paper; every crop then holds a pixel of 1), cut to 256 levels, resized by Pillow's bilinear filter,
and compared with 0.5. Where we depart: a crop that is all alike has no object (the code divides 0
by 0), one that is nearly so may stay as it is, and stretching can be left out.
"""

import numpy as np
from PIL import Image

from stages.box_supervision.box_crops import Crop

LEVELS = 255


def stretched(chances: np.ndarray, *, flat: float = 0.0) -> np.ndarray:
    """Probabilities stretched to 0 to 1.

    Parameters
    ----------
    chances : (h, w) of 0 to 1.
    flat : range up to which a crop stays as it is: stretching would make an object of noise.

    Returns
    -------
    (h, w); all 0 where they are all alike, for such a crop shows no object in its surroundings.
    """
    low, high = float(chances.min()), float(chances.max())
    if high <= low:
        return np.zeros_like(chances)
    return np.asarray((chances - low) / (high - low)) if high - low > flat else chances


def at_size(chances: np.ndarray, height: int, width: int) -> np.ndarray:
    """(h, w) probabilities in 256 levels, bilinear, as (height, width) float32 of 0 to 1."""
    levels = Image.fromarray((chances * LEVELS).astype(np.uint8))
    resized = levels.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(resized, dtype=np.float32) / LEVELS


def pasted(chances: np.ndarray, crop: Crop, height: int, width: int) -> np.ndarray:
    """Probabilities of a crop in its place of the image.

    Parameters
    ----------
    chances : (h, w) of 0 to 1, of the crop at any size. crop : xyxy px. height, width : of the
        image, px.

    Returns
    -------
    (height, width) float32, 0 outside the crop.
    """
    x0, y0, x1, y1 = crop
    whole = np.zeros((height, width), dtype=np.float32)
    whole[y0:y1, x0:x1] = at_size(chances, y1 - y0, x1 - x0)
    return whole
