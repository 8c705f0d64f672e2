"""The weak labels themselves as prompts: a point asks with the point, a box with the box.

A mask asks for nothing, since it is known; of an object with a point and a mask, the point still
asks, so that a correction asks nothing new. The class of a label is no part of its prompt: another
class is no other question.
"""

from collections import Counter
from typing import Any

import pyarrow as pa

from stages.tables.prompts import PROMPTS
from stages.tables.table import rows_table


def opened_prompter(settings: Any) -> "Labels":
    """The prompter; it has no keys of its own."""
    return Labels()


class Labels:
    """Prompts of the labels of one image after the other."""

    kinds = frozenset({"point", "box"})

    def prompts(self, image: dict[str, Any], labels: pa.Table) -> pa.Table:
        """Rows of table `prompts`: one of each point or box that is not deleted.

        Parameters
        ----------
        image : row of table `images`. labels : rows of table `weak_labels` of this image.
        """
        rows, used = [], Counter[int]()
        for label in labels.to_pylist():  # by label_id
            if label["kind"] in self.kinds and label["status"] != "deleted":
                bag_id = label["bag_id"]
                ids = {"image_id": image["image_id"], "bag_id": bag_id, "prompt_id": used[bag_id]}
                rows.append({**ids, "kind": label["kind"], **_asked(label)})
                used[bag_id] += 1
        return rows_table(PROMPTS, sorted(rows, key=lambda row: (row["bag_id"], row["prompt_id"])))


def _asked(label: dict[str, Any]) -> dict[str, Any]:
    if label["kind"] == "box":
        return {"box": label["box"]}
    return {"points": [[label["x"], label["y"]]], "point_signs": [1]}
