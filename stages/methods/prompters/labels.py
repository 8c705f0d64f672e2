"""The weak labels themselves as prompts: a point asks with the point, a box with the box.

A mask asks for nothing, since it is known; of an object with a point and a mask, the point still
asks, so that a correction asks nothing new. The class of a label is no part of its prompt: another
class is no other question. Of an object with a box and a point, both may be asked about as one
prompt (`together`): SAM then looks for the mask in the box that holds the point.
"""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from stages.settings.prompters.labels import Settings
from stages.tables.prompts import PROMPTS
from stages.tables.table import rows_table

Row = dict[str, Any]


def opened_prompter(settings: Settings) -> "Labels":
    """The prompter; settings : the entry of `prompt.sources`."""
    return Labels(together=settings.together)


class Labels:
    """Prompts of the labels of one image after the other.

    Parameters
    ----------
    together : whether the first box and the first point of a bag are one prompt.
    """

    kinds = frozenset({"point", "box"})

    def __init__(self, *, together: bool):
        self.together = together

    def prompts(self, image: dict[str, Any], labels: pa.Table) -> pa.Table:
        """Rows of table `prompts`: one of each point or box that is not deleted.

        With `together` a bag's first box and first point are one, of kind box, where the first of
        them stood.

        Parameters
        ----------
        image : row of table `images`. labels : rows of table `weak_labels` of this image.
        """
        bags: dict[int, list[Row]] = {}
        for label in labels.to_pylist():  # by label_id
            if label["kind"] in self.kinds and label["status"] != "deleted":
                bags.setdefault(label["bag_id"], []).append(_asked(label))
        rows = [
            {"image_id": image["image_id"], "bag_id": bag_id, "prompt_id": number, **asked}
            for bag_id in sorted(bags)
            for number, asked in enumerate(self._joined(bags[bag_id]))
        ]
        return rows_table(PROMPTS, rows)

    def _joined(self, asked: list[Row]) -> Iterable[Row]:
        first = {row["kind"]: row for row in reversed(asked)}
        if not self.together or len(first) < len(self.kinds):
            return asked
        pair = {**first["point"], **first["box"]}  # of kind box
        rest = [row for row in asked if row is not first[row["kind"]]]
        return [pair, *rest]


def _asked(label: Row) -> Row:
    if label["kind"] == "box":
        return {"kind": "box", "box": label["box"]}
    return {"kind": "point", "points": [[label["x"], label["y"]]], "point_signs": [1]}
