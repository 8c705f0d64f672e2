"""Colours as people tell them apart: CIE L*a*b* of sRGB, in floats.

BoxInst (CVPR 2021) measures in it how alike two pixels are. OpenCV's conversion of uint8 is off by
up to 1.9, which moves pairs across the threshold; these are the formulas themselves (IEC 61966-2-1,
CIE 15), for the white of D65.
"""

import numpy as np

TO_XYZ = np.array(  # of linear sRGB
    [
        [0.412453, 0.357580, 0.180423],
        [0.212671, 0.715160, 0.072169],
        [0.019334, 0.119193, 0.950227],
    ]
)
WHITE = np.array([0.95047, 1.0, 1.08883])  # XYZ of D65, seen at 2 degrees
BEND, SLOPE, START = 0.008856, 7.787, 16 / 116  # below BEND the cube root is a line


def lab_of(rgb: np.ndarray) -> np.ndarray:
    """Colours in L*a*b*.

    Parameters
    ----------
    rgb : (..., 3) sRGB of 0 to 255, floats or whole numbers.

    Returns
    -------
    (..., 3) float64: L of 0 to 100, a and b of about -110 to 110.
    """
    share = rgb.astype(np.float64) / 255
    linear = np.where(share > 0.04045, ((share + 0.055) / 1.055) ** 2.4, share / 12.92)
    xyz = linear @ TO_XYZ.T / WHITE
    x, y, z = np.moveaxis(np.where(xyz > BEND, np.cbrt(xyz), SLOPE * xyz + START), -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)
