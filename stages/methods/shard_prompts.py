"""The prompts of a shard: the weak labels that count, through the prompters, image by image."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from stages.methods.prompter import Prompter
from stages.tables.keys import check_same, keys_of
from stages.tables.prompts import PROMPTS
from stages.tables.shards import check_members
from stages.tables.spans import runs
from stages.tables.table import read_table, rows_table
from stages.tables.weak_labels import WEAK_LABELS

Image = dict[str, Any]
REMEDIES = {  # by kind of a label that nobody asks about
    **dict.fromkeys(
        ("point", "box"),
        "Add {source: labels} to prompt.sources, or make tags of all labels (prepare.labels: tag).",
    ),
    "tag": "Give each object a point, a box or a mask; or learn from tags alone, with "
    "{source: grid} in prompt.sources and select.method: oicr.",
}
LABEL_COLUMNS = "image_id label_id kind category_id bag_id x y box status".split()


def living_labels(path: Path, prompters: Sequence[Prompter]) -> tuple[pa.Table, pa.Table]:
    """Rows of table `weak_labels`, without their masks: those that count, and the deleted ones.

    Raises
    ------
    ValueError : a label of a kind that nobody asks about, and that is no mask.
    """
    labels, deleted = told_apart(path)
    kinds = frozenset({"mask"}).union(*(prompter.kinds for prompter in prompters))
    served = pc.is_in(labels.column("kind"), pa.array(sorted(kinds)))
    for row in labels.filter(pc.invert(served)).slice(0, 1).to_pylist():
        raise ValueError(
            f"{path}: image {row['image_id']}, label {row['label_id']}: a {row['kind']} of class "
            f"{row['category_id']}, and no prompter of prompt.sources asks about a {row['kind']}. "
            f"{REMEDIES[row['kind']]}"
        )
    return labels, deleted


def told_apart(path: Path) -> tuple[pa.Table, pa.Table]:
    """Rows of table `weak_labels`, without their masks: those that count, and the deleted ones."""
    rows = read_table(path, WEAK_LABELS, columns=LABEL_COLUMNS)
    deleted = pc.equal(rows.column("status"), "deleted")
    return rows.filter(pc.invert(deleted)), rows.filter(deleted)


class Prompts(Protocol):
    """The prompts of a shard: made of its labels, or read from what stage `prompt` wrote."""

    images: Mapping[int, Image]

    def of(self, image_id: int) -> pa.Table:
        """Rows of table `prompts` of one image."""


class WrittenPrompts:
    """The prompts that stage `prompt` wrote for a shard.

    Parameters
    ----------
    images : rows of table `images` by id. labels : rows of table `weak_labels` of any images.
    path : table `prompts` of the shard; of its rows the points alone take room, and they stay.

    Raises
    ------
    ValueError : they are of other images, or not about these labels.
    """

    def __init__(self, images: Mapping[int, Image], labels: pa.Table, path: Path):
        self.images, self.table = images, read_table(path, PROMPTS)
        check_members(self.table, images.keys(), path)
        wanted = keys_of(labels.filter(pc.not_equal(labels.column("kind"), "mask")), "bag_id")
        own = wanted.of_images(images)
        check_same(keys_of(self.table, "bag_id"), own, what="bags", where=path)
        self.spans = runs(self.table.column("image_id").to_numpy())

    def of(self, image_id: int) -> pa.Table:
        """Rows of table `prompts` of one image."""
        start, end = self.spans.get(image_id, (0, 0))
        return self.table.slice(start, end - start)


class ShardPrompts:
    """The prompts of a shard's images, made when they are wanted: all at once would fill memory.

    Parameters
    ----------
    images : rows of table `images` by id. labels : rows of table `weak_labels`, of any images.
    """

    def __init__(
        self, images: Mapping[int, Image], labels: pa.Table, prompters: Sequence[Prompter]
    ):
        self.images, self.labels, self.prompters = images, labels, prompters
        self.spans = runs(labels.column("image_id").to_numpy())

    def of(self, image_id: int) -> pa.Table:
        """Rows of table `prompts` of one image; a later prompter's count on from those before."""
        start, end = self.spans.get(image_id, (0, 0))
        labels, image = self.labels.slice(start, end - start), self.images[image_id]
        found = [prompter.prompts(image, labels).to_pylist() for prompter in self.prompters]
        rows = sorted((row for own in found for row in own), key=lambda row: row["bag_id"])
        used = Counter[int]()
        for row in rows:
            row["prompt_id"] = used[row["bag_id"]]
            used[row["bag_id"]] += 1
        return rows_table(PROMPTS, rows)
