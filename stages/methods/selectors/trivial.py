"""A choice without learning, to hold what is learned against: the segmenter's score stands in.

`sam_top1` is the baseline of SAPNet's Tables 1 and 3; the rules are in `stages.mil.trivial`. In a
bag of tags every class of the image gets the same scores and the same choice.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from stages.labels.tags import tags_of
from stages.learning.labelled import labelled_bags
from stages.methods.kit import Kit
from stages.mil.trivial import trivial_choices
from stages.runtime.device import Device
from stages.tables.proposals import own_answers
from stages.tables.selections import SELECTIONS
from stages.tables.spans import rows_by
from stages.tables.table import empty_table, table_of
from stages.tables.weak_labels import TAG_BAG

COLUMNS = ("prompt_kind", "derived", "mask_index", "area", "predicted_iou")


def facts_of_method(kit: Kit) -> dict[str, Any]:
    """Packages alone: there are no weights."""
    return {"packages": ("numpy",)}


def opened_selector(kit: Kit, device: Device) -> "Trivial":
    """The selector that `select.method` names."""
    return Trivial(kit.select.method)


class Trivial:
    """Scores of one image after the other: the predicted IoU, the same for all methods."""

    def __init__(self, method: str):
        self.method = method

    def scores(self, image: Mapping[str, Any], labels: pa.Table, proposals: pa.Table) -> pa.Table:
        """Rows of table `selections`; S_cls, S_ins and S_dis are not there."""
        known: dict[int, list[int]] = {
            bag_id: [labelled.category_id] for bag_id, labelled in labelled_bags(labels).items()
        }
        known[TAG_BAG] = list(tags_of(labels))
        bags = rows_by(proposals, "bag_id").items()
        parts = [self._of_bag(rows, known[bag_id]) for bag_id, rows in bags]
        return pa.concat_tables([empty_table(SELECTIONS), *parts]).combine_chunks()

    def _of_bag(self, rows: pa.Table, category_ids: list[int]) -> pa.Table:
        """Rows by proposal, then class."""
        predicted = rows.column("predicted_iou").to_numpy()
        quality, count = predicted.clip(0, 1), len(rows)
        chosen = trivial_choices(
            area=rows.column("area").to_numpy(),
            slot=rows.column("mask_index").to_numpy(),
            is_own=own_answers(rows),
            predicted_iou=predicted,
        ).get(self.method, 0)  # the segmenter gave fewer masks: the first
        classes = len(category_ids)
        size = count * classes
        ids = ("image_id", "bag_id", "proposal_id")
        same: dict[str, Any] = {
            name: np.repeat(rows.column(name).to_numpy(), classes) for name in ids
        }
        bag: dict[str, Any] = {
            "category_id": np.tile(np.array(category_ids, np.int32), count),
            "score": np.repeat(quality, classes),
            "selected": np.repeat(np.arange(count) == chosen, classes),
            "bag_score": np.full(size, quality[chosen]),
        }
        none = dict.fromkeys(("score_cls", "score_ins", "score_dis", "box"), [None] * size)
        return table_of(SELECTIONS, {**same, **bag, **none})
