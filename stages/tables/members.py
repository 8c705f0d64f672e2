"""What each shard must hold: its own images, and all of their objects."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stages.tables.headers import checked_header
from stages.tables.keys import Keys, check_same, keys_of
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.record import Record
from stages.tables.shard_names import is_shard_name, shard_number
from stages.tables.shards import check_members
from stages.tables.table import read_table


class Members:
    """Images, objects and bags of each shard.

    Parameters
    ----------
    images, labels : tables `images` and `weak_labels`, whole; deleted labels count for nothing.

    Raises
    ------
    ValueError : an image has labels but is not among `images`.
    """

    def __init__(self, images: pa.Table, labels: pa.Table):
        self.labels = labels.filter(pc.not_equal(labels.column("status"), "deleted"))
        self._ids = images.column("image_id").to_numpy()  # rising
        self._shards = images.column("shard").to_numpy()
        labelled = self.labels.column("image_id").to_numpy()
        strangers = np.setdiff1d(labelled, self._ids)
        if len(strangers):
            raise ValueError(
                f"image {strangers[0]} has weak labels, but is not in table images. The tables are "
                "of different runs: remove both and run snakemake again."
            )
        self._label_shards = self._shards[np.searchsorted(self._ids, labelled)]

    @property
    def objects(self) -> int:
        """Number of objects that have an id of their own."""
        objects = self.labels.filter(pc.is_valid(self.labels.column("instance_id")))
        return len(objects.group_by(["image_id", "instance_id"]).aggregate([]))

    @property
    def given(self) -> int:
        """Number of objects whose mask was given."""
        masks = self.labels.filter(pc.equal(self.labels.column("kind"), "mask"))
        return len(masks.group_by(["image_id", "instance_id"]).aggregate([]))

    def image_ids(self, shard: int) -> list[int]:
        """Images of a shard."""
        return [int(number) for number in self._ids[self._shards == shard]]

    def instances(self, shard: int) -> Keys:
        """(image_id, instance_id) of the objects that have an id of their own."""
        mine = self._of(shard)
        return keys_of(mine.filter(pc.is_valid(mine.column("instance_id"))), "instance_id")

    def tagged(self, shard: int) -> set[int]:
        """Images that have a tag, of which objects without an id may be born."""
        mine = self._of(shard)
        tags = mine.filter(pc.equal(mine.column("kind"), "tag"))
        return set(tags.column("image_id").to_pylist())

    def bags(self, shard: int) -> Keys:
        """(image_id, bag_id) of all labels but masks, which are no prompt."""
        mine = self._of(shard)
        return keys_of(mine.filter(pc.not_equal(mine.column("kind"), "mask")), "bag_id")

    def check_count(self, paths: Sequence[Path]) -> None:
        """Raise ValueError where images are of a shard beyond those of `paths`."""
        last = int(self._shards.max(initial=-1))
        if last >= len(paths):
            raise ValueError(
                f"{paths[0].parent}: {len(paths)} shards were given, but images were dealt into at "
                f"least {last + 1}. Remove the folder and run snakemake again."
            )

    def check_labelled(self, path: Path) -> None:
        """Hold a shard of table `pseudo_labels` against the weak labels of its images.

        Raises
        ------
        ValueError : an image is not of the shard, an object has no pseudo-label, or one has a
            pseudo-label and no weak label.
        """
        shard, rows = self.shard_rows(path, PSEUDO_LABELS, ("instance_id",))
        born = pc.less(rows.column("instance_id"), 0)
        check_same(
            keys_of(rows.filter(pc.invert(born)), "instance_id"),
            self.instances(shard),
            what="instances",
            where=path,
        )
        strangers = set(rows.filter(born).column("image_id").to_pylist()) - self.tagged(shard)
        if strangers:
            raise ValueError(
                f"{path}: image {min(strangers)} has objects born of a tag, but no tag among its "
                "weak labels. Remove the file and run snakemake again."
            )

    def check_bags(self, path: Path, record: Record) -> None:
        """Hold a shard of a table of bags against the weak labels of its images.

        Raises
        ------
        ValueError : an image is not of the shard, a label has no bag, or a bag has no label.
        """
        shard, rows = self.shard_rows(path, record, ("bag_id",))
        check_same(keys_of(rows, "bag_id"), self.bags(shard), what="bags", where=path)

    def shard_rows(
        self, path: Path, record: Record, columns: Sequence[str]
    ) -> tuple[int, pa.Table]:
        """Number of the shard that a file holds, and its rows of image_id and of `columns`.

        Raises
        ------
        ValueError : an image is not of the shard, or the file is not as it should be.
        """
        name = str(checked_header(path, record).get("shard"))
        if not is_shard_name(name):
            raise ValueError(
                f"{path}: its header does not tell its shard, but {name[:40]!r}. Remove the file "
                "and run snakemake again."
            )
        shard = shard_number(name)
        rows = read_table(path, record, columns=["image_id", *columns])
        check_members(rows, self.image_ids(shard), path)
        return shard, rows

    def _of(self, shard: int) -> pa.Table:
        return self.labels.filter(pa.array(self._label_shards == shard))
