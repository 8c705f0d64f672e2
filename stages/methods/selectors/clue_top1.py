"""A choice for tags without learning beyond the clues: of each tag the surest mask at its peaks.

The baseline that shows what WeakSAM's detection heads (Sec. 3.3) add: of the proposals that a peak
of a class was answered with, the one with the highest predicted IoU stands for the class; where it
has no peak, the surest of all. Not in the paper.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stages.labels.tags import tags_of
from stages.methods.kit import Kit
from stages.runtime.device import Device
from stages.tables.selections import SELECTIONS
from stages.tables.table import empty_table, table_of
from stages.tables.weak_labels import TAG_BAG

COLUMNS = ("category_id", "predicted_iou", "valid")


def facts_of_method(kit: Kit) -> dict[str, Any]:
    """Packages alone: there are no weights."""
    return {"packages": ("numpy",)}


def opened_selector(kit: Kit, device: Device) -> "ClueTop1":
    """The selector; it has neither keys nor a network."""
    return ClueTop1()


class ClueTop1:
    """Scores of one image after the other: half the predicted IoU, and half for an own peak."""

    def scores(self, image: Mapping[str, Any], labels: pa.Table, proposals: pa.Table) -> pa.Table:
        """Rows of table `selections` of the bag of tags; one of each class is selected.

        Raises
        ------
        ValueError : there is a bag of an object, whose label is no tag.
        """
        own = proposals.filter(pc.equal(proposals.column("bag_id"), TAG_BAG))
        if len(own) < len(proposals):
            raise ValueError(
                f"image {image['image_id']}: select.method clue_top1 chooses for tags alone, and "
                "there are points or boxes. Set prepare.labels: tag."
            )
        categories = list(tags_of(labels))
        return _rows(own, categories) if categories else empty_table(SELECTIONS)


def _rows(bag: pa.Table, categories: list[int]) -> pa.Table:
    """Rows by proposal, then class."""
    scores = np.stack([_scores(bag, category) for category in categories], axis=1)  # (r, t)
    count, classes = scores.shape
    ids = ("image_id", "bag_id", "proposal_id")
    columns: dict[str, Any] = {n: np.repeat(bag.column(n).to_numpy(), classes) for n in ids}
    best = scores.argmax(axis=0)
    columns |= {
        "category_id": np.tile(np.array(categories, np.int32), count),
        "score": scores.ravel(),
        "selected": (np.arange(count)[:, None] == best).ravel(),
        "bag_score": np.tile(scores.max(axis=0), count),
    }
    none = dict.fromkeys(("score_cls", "score_ins", "score_dis", "box"), [None] * scores.size)
    return table_of(SELECTIONS, {**columns, **none})


def _scores(bag: pa.Table, category_id: int) -> np.ndarray:
    """(r,) 0 to 1; 0 for an empty mask."""
    mine = pc.equal(bag.column("category_id"), category_id).fill_null(False)
    quality = bag.column("predicted_iou").to_numpy().clip(0, 1)
    valid = bag.column("valid").to_numpy(zero_copy_only=False)
    return np.asarray((quality + mine.to_numpy(zero_copy_only=False)) / 2 * valid)
