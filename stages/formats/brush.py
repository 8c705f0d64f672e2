"""Label Studio's run-length code of a brush: the bytes of an RGBA picture, packed bit by bit."""

import numpy as np


def alpha_of(codes: bytes, height: int, width: int) -> np.ndarray:
    """The mask of a code, (height, width) uint8, 0 to 255.

    Raises
    ------
    ValueError : the code is damaged, or of another number of pixels.
    """
    raise NotImplementedError
