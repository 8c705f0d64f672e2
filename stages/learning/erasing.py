"""A random part of an image is erased, so that a class is not told by one part alone.

Random erasing, as WeakTr trains (WeakSAM, Sec. 3.1).
"""

import math

import numpy as np
from torch import Tensor

AREA = (0.02, 0.33)  # share of the image
ASPECT = (0.3, 3.3)  # height over width


def erased(pixels: Tensor, rng: np.random.Generator) -> Tensor:
    """(c, h, w) normalised pixels with a rectangle of zeros, the mean colour, somewhere in them."""
    height, width = pixels.shape[1:]
    area = rng.uniform(*AREA) * height * width
    aspect = math.exp(rng.uniform(*np.log(ASPECT)))
    tall = min(height, max(1, round(math.sqrt(area * aspect))))
    wide = min(width, max(1, round(math.sqrt(area / aspect))))
    top, left = int(rng.integers(height - tall + 1)), int(rng.integers(width - wide + 1))
    found = pixels.clone()
    found[:, top : top + tall, left : left + wide] = 0
    return found
