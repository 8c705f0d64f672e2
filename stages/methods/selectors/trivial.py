"""A choice without learning, to hold what is learned against: the segmenter's score stands in.

`sam_top1` is the baseline of SAPNet's Tables 1 and 3; the rules are in `stages.mil.trivial`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from stages.learning.labelled import labelled_bags
from stages.methods.kit import Kit
from stages.mil.trivial import trivial_choices
from stages.tables.proposals import own_answers
from stages.tables.selections import SELECTIONS
from stages.tables.spans import rows_by
from stages.tables.table import empty_table, table_of

COLUMNS = ("prompt_kind", "derived", "mask_index", "area", "predicted_iou")


def facts_of_method(kit: Kit) -> dict[str, Any]:
    """Packages alone: there are no weights."""
    return {"packages": ("numpy",)}


def opened_selector(kit: Kit, device: torch.device) -> "Trivial":
    """The selector that `select.method` names."""
    return Trivial(kit.select.method)


class Trivial:
    """Scores of one image after the other: the predicted IoU, the same for all methods."""

    def __init__(self, method: str):
        self.method = method

    def scores(self, image: Mapping[str, Any], labels: pa.Table, proposals: pa.Table) -> pa.Table:
        """Rows of table `selections`; S_cls, S_ins and S_dis are not there."""
        known = labelled_bags(labels)
        bags = rows_by(proposals, "bag_id").items()
        parts = [self._of_bag(rows, known[bag_id].category_id) for bag_id, rows in bags]
        return pa.concat_tables([empty_table(SELECTIONS), *parts]).combine_chunks()

    def _of_bag(self, rows: pa.Table, category_id: int) -> pa.Table:
        predicted = rows.column("predicted_iou").to_numpy()
        quality, count = predicted.clip(0, 1), len(rows)
        chosen = trivial_choices(
            area=rows.column("area").to_numpy(),
            slot=rows.column("mask_index").to_numpy(),
            is_own=own_answers(rows),
            predicted_iou=predicted,
        ).get(self.method, 0)  # the segmenter gave fewer masks: the first
        same = {name: rows.column(name) for name in ("image_id", "bag_id", "proposal_id")}
        bag = {"category_id": np.full(count, category_id), "score": quality}
        bag |= {
            "selected": np.arange(count) == chosen,
            "bag_score": np.full(count, quality[chosen]),
        }
        none = dict.fromkeys(("score_cls", "score_ins", "score_dis", "box"), [None] * count)
        return table_of(SELECTIONS, {**same, **bag, **none})
