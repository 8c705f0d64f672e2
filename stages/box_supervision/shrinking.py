"""A salient object made as small as a box: salient images show objects large.

Not in the paper. A crop of 20 px that is enlarged to the network's size is blurred, which no
salient image teaches.
"""

import cv2
import numpy as np

from stages.box_supervision.box_crops import Pair, around, longer_side


def shrunk(pair: Pair, longest: float) -> Pair:
    """The image at a scale at which the longer side of its object is `longest` px.

    Returns
    -------
    The pair itself where the object is no longer than that, or would vanish.
    """
    pixels, mask = pair
    factor = longest / longer_side(around(mask))
    if factor >= 1:
        return pair
    size = max(1, round(mask.shape[1] * factor)), max(1, round(mask.shape[0] * factor))
    share = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    small = share > 0.5
    if not small.any():
        return pair
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), small
