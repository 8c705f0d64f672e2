"""How many entries the lists of a COCO file have that we wrote: the last key of the file.

Other programs pass over it. Standard library alone.
"""

from collections.abc import Mapping
from typing import Any

from stages.runtime.program import Sentence

COUNTS = "counts"  # the key: {name of a list: number of its entries}
LISTS = ("images", "categories", "annotations")  # in the order in which they are written


def miscount(counts: Any, seen: Mapping[str, int]) -> Sentence:
    """What does not add up, or nothing.

    Parameters
    ----------
    counts : what the file holds under COUNTS, of any type. seen : how many entries there are.
    """
    told = counts if isinstance(counts, Mapping) else {}
    for name, number in seen.items():
        if told.get(name) != number:
            return f"it holds {number} {name}, but {str(told.get(name))[:40]} were written"
    return ""
