"""The rows of one shard for select and refine: photographs and labels at hand, bags as a stream.

What is large, the proposals and their masks, is read image by image; what is known of the images
and their labels fits in memory. Whether the tables belong together is checked before anything is
computed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from stages.learning.labelled import check_bags
from stages.tables.images import shard_images
from stages.tables.proposals import PROPOSALS
from stages.tables.record import Record
from stages.tables.shards import check_members, rows_digest
from stages.tables.streams import Cursor, images_of_file
from stages.tables.table import empty_table, read_table
from stages.tables.weak_labels import WEAK_LABELS


@dataclass(frozen=True, slots=True)
class Shard:
    """What is known of the images of one shard.

    Attributes
    ----------
    table : rows of table `images`. labels : rows of table `weak_labels` of these images.
    images, labels_of : the same by image id; an image without labels has none.
    """

    table: pa.Table
    labels: pa.Table
    images: Mapping[int, Mapping[str, Any]]
    labels_of: Mapping[int, pa.Table]

    @property
    def image_ids(self) -> list[int]:
        """Ids of all images of the shard, rising."""
        return list(self.images)

    def deciding(self) -> list[str]:
        """Digests of the rows, for the fingerprint of parts: other images' rows do not matter."""
        return [rows_digest(self.table), rows_digest(self.labels)]


def opened_shard(images: Path, weak_labels: Path, shard: str) -> Shard:
    """What is known of the images of a shard, named such as 0003-of-0128."""
    table = shard_images(images, shard)
    rows = {row["image_id"]: row for row in table.to_pylist()}
    found = dict(_labels_in(weak_labels, rows))
    labels = pa.concat_tables([empty_table(WEAK_LABELS), *found.values()])
    return Shard(table, labels, rows, found)


def _labels_in(path: Path, wanted: Mapping[int, Any]) -> Iterator[tuple[int, pa.Table]]:
    """Labels of the wanted images, copied, so that no row group stays in memory for one of them."""
    for image_id, rows in images_of_file(path, WEAK_LABELS):
        if image_id in wanted:
            yield image_id, rows.take(np.arange(len(rows)))


def checked_bags(shard: Shard, proposals: Path) -> pa.Table:
    """image_id, bag_id, proposal_id and valid of all proposals, once they are found to add up.

    Raises
    ------
    ValueError : there are proposals of images of another shard, or a labelled object has no bag.
    """
    columns = ("image_id", "bag_id", "proposal_id", "valid")
    table = read_table(proposals, PROPOSALS, columns=columns)
    check_members(table, shard.images.keys(), proposals)
    check_bags(table, shard.labels, proposals)
    return table


def walked(path: Path, record: Record, columns: Sequence[str]) -> Cursor:
    """The rows of each image of a file, to be asked for along rising ids."""
    return Cursor(images_of_file(path, record, columns=columns))
