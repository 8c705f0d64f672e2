"""Which labels are about one object, and which of its given masks counts."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

Row = dict[str, Any]
RANKS = ("given", "accepted", "corrected")  # of status: the last one says most


def labels_of_instances(labels: pa.Table) -> dict[int, list[dict[str, Any]]]:
    """Rows of the labels of each object of an image, those that are deleted apart; by instance_id.

    Parameters
    ----------
    labels : rows of table `weak_labels` of one image. A tag is about no object.
    """
    found: dict[int, list[dict[str, Any]]] = {}
    for row in labels.to_pylist():
        if row["instance_id"] is not None and row["status"] != "deleted":
            found.setdefault(row["instance_id"], []).append(row)
    return {instance: found[instance] for instance in sorted(found)}


def given_mask(masks: Sequence[Row]) -> Row:
    """The one that counts of an object's masks, rows of table `weak_labels`; one or more."""
    return max(masks, key=lambda row: (RANKS.index(row["status"]), row["label_id"]))
