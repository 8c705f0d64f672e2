"""Objects by size: the share of its image that a mask covers, and the class of sizes it falls in.

Pure. A size class holds its lower edge and not its upper one, so that each object is in one class.
"""

import itertools
from bisect import bisect_right
from collections.abc import Sequence

from stages.geometry.masks import Rle, rle_areas


def share_of(rle: Rle) -> float:
    """Area of a mask as a share of its image's, 0 to 1."""
    height, width = rle["size"]
    return float(rle_areas([rle])[0]) / float(height * width)


def size_names(edges: Sequence[float]) -> list[str]:
    """Names of the size classes between edges, smallest first, in % of the image's area.

    Parameters
    ----------
    edges : (n,) rising shares, 0 to 1; n is at least 1.

    Returns
    -------
    (n + 1,) such as "< 0.5 %", "0.5 to 2 %", ">= 2 %".
    """
    shown = [f"{100 * edge:.12g}" for edge in edges]  # 12 digits: 100 * 0.07 is 7.000000000000001
    between = [f"{low} to {high} %" for low, high in itertools.pairwise(shown)]
    return [f"< {shown[0]} %", *between, f">= {shown[-1]} %"]


def size_name(share: float, edges: Sequence[float]) -> str:
    """The one of `size_names` that an object of this share is in."""
    return size_names(edges)[bisect_right(edges, share)]
