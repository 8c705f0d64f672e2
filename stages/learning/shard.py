"""The rows of one shard for select and refine: photographs and labels at hand, bags as a stream.

What is large, the proposals and their masks, is read image by image; what is known of the images
and their labels fits in memory. Whether the tables belong together is checked before anything is
computed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from stages.learning.labelled import check_bags
from stages.tables.checks import check_codes
from stages.tables.headers import checked_header
from stages.tables.images import IMAGES, shard_images
from stages.tables.keys import check_same, keys_of
from stages.tables.proposals import PROPOSALS
from stages.tables.record import Record
from stages.tables.selections import SELECTIONS
from stages.tables.shards import check_alike, check_members, check_seed, check_shard, rows_digest
from stages.tables.spans import RowsOf
from stages.tables.streams import Cursor, images_of_file
from stages.tables.table import empty_table, read_table
from stages.tables.weak_labels import WEAK_LABELS

COPIED = 200  # images whose labels wait to be copied together
OF_PROPOSAL = ("bag_id", "proposal_id")  # its key in its image


@dataclass(frozen=True, slots=True)
class Shard:
    """What is known of the images of one shard.

    Attributes
    ----------
    name : such as 0003-of-0128. seed : that its images and labels were prepared with.
    table : rows of table `images`. labels : rows of table `weak_labels` of these images.
    images, labels_of : the same by image id; an image without labels has none.
    """

    name: str
    seed: int | None
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


def opened_shard(
    images: Path, weak_labels: Path, shard: str, also: Mapping[Path, Record] | None = None
) -> Shard:
    """What is known of the images of a shard, named such as 0003-of-0128.

    Parameters
    ----------
    also : further tables that prepare must have made together with these two.

    Raises
    ------
    ValueError : the tables were not made together, or one is not as it should be.
    """
    check_alike({images: IMAGES, weak_labels: WEAK_LABELS, **(also or {})})
    table = shard_images(images, shard)
    rows = {row["image_id"]: row for row in table.to_pylist()}
    labels = _labels_in(weak_labels, rows)
    _check_given(labels, rows, weak_labels)
    seed = checked_header(images, IMAGES).get("seed")
    return Shard(shard, seed, table, labels, rows, RowsOf(labels, "image_id"))


def _check_given(labels: pa.Table, images: Mapping[int, Any], where: Path) -> None:
    """Hold the masks that were given against the size of their images."""
    sizes = [(images[i]["height"], images[i]["width"]) for i in labels["image_id"].to_pylist()]
    area = np.array(sizes, dtype=np.int64).reshape(-1, 2).prod(axis=1)
    check_codes(labels.column("rle"), area, f"{where}: column rle")


def _labels_in(path: Path, wanted: Mapping[int, Any]) -> pa.Table:
    """Labels of the wanted images, copied, so that no row group stays in memory for one of them."""
    copied, waiting = [empty_table(WEAK_LABELS)], list[pa.Table]()
    for image_id, rows in images_of_file(path, WEAK_LABELS):
        if image_id in wanted:
            waiting.append(rows)
        if len(waiting) == COPIED:
            copied.append(_copied(waiting))
            waiting.clear()
    return _copied([*copied, *waiting])


def _copied(tables: Sequence[pa.Table]) -> pa.Table:
    table = pa.concat_tables(tables)
    return table.take(np.arange(len(table))).combine_chunks()


def checked_bags(shard: Shard, proposals: Path) -> pa.Table:
    """image_id, bag_id, proposal_id and valid of all proposals, once they are found to add up.

    Raises
    ------
    ValueError : there are proposals of images of another shard, or a labelled object has no bag.
    """
    check_shard(proposals, PROPOSALS, shard.name)
    check_seed(proposals, PROPOSALS, shard.seed)
    columns = ("image_id", "bag_id", "proposal_id", "valid")
    table = read_table(proposals, PROPOSALS, columns=columns)
    check_members(table, shard.images.keys(), proposals)
    check_bags(table, shard.labels, proposals)
    return table


def check_selections(shard: Shard, selections: Path, bags: pa.Table, *, seed: int) -> None:
    """Raise ValueError unless a file has scores of these proposals, of all and of no others.

    Parameters
    ----------
    seed : that they must have been made with.
    """
    check_seed(selections, SELECTIONS, seed)
    check_shard(selections, SELECTIONS, shard.name)
    scored = read_table(selections, SELECTIONS, columns=["image_id", *OF_PROPOSAL])
    seen, wanted = keys_of(scored, *OF_PROPOSAL), keys_of(bags, *OF_PROPOSAL)
    check_same(seen, wanted, what="proposals", where=selections)


def walked(path: Path, record: Record, columns: Sequence[str]) -> Cursor:
    """The rows of each image of a file, to be asked for along rising ids."""
    return Cursor(images_of_file(path, record, columns=columns))
