"""Ids of annotations: each object keeps its own; what has none, or shares it, gets one above all.

An object that was annotated has the id of its annotation, unique in the file that it came from. One
born of a tag has a negative id, unique in its image alone.
"""

from collections import Counter
from collections.abc import Sequence


class Numbering:
    """Gives ids to the instances of one image after the other.

    Parameters
    ----------
    instance_ids : of all objects that have an id of their own, image by image; an id that is there
        in several images stands several times.

    Attributes
    ----------
    shared : the ids of several objects; the first object keeps it.
    """

    def __init__(self, instance_ids: Sequence[int]):
        self.shared = sorted(number for number, n in Counter(instance_ids).items() if n > 1)
        self._taken = dict.fromkeys(self.shared, False)
        self._last = max(instance_ids, default=0)

    def ids(self, instance_ids: Sequence[int]) -> list[int]:
        """Ids of the instances of the next image, in their order."""
        return [self._id(number) for number in instance_ids]

    def _id(self, instance_id: int) -> int:
        if instance_id >= 0 and not self._taken.get(instance_id, False):
            if instance_id in self._taken:
                self._taken[instance_id] = True
            return instance_id
        self._last += 1
        return self._last
