"""The prompts of a shard: the weak labels that count, through the prompters, image by image."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from stages.methods.prompter import Prompter
from stages.tables.prompts import PROMPTS
from stages.tables.spans import runs
from stages.tables.table import read_table, rows_table
from stages.tables.weak_labels import WEAK_LABELS

Image = dict[str, Any]
LABEL_COLUMNS = "image_id label_id kind category_id bag_id x y box status".split()


def living_labels(path: Path, prompters: Sequence[Prompter]) -> tuple[pa.Table, pa.Table]:
    """Rows of table `weak_labels`, without their masks: those that count, and the deleted ones.

    Raises
    ------
    ValueError : a label of a kind that nobody asks about, and that is no mask.
    """
    rows = read_table(path, WEAK_LABELS, columns=LABEL_COLUMNS)
    deleted = pc.equal(rows.column("status"), "deleted")
    labels = rows.filter(pc.invert(deleted))
    kinds = frozenset({"mask"}).union(*(prompter.kinds for prompter in prompters))
    served = pc.is_in(labels.column("kind"), pa.array(sorted(kinds)))
    for row in labels.filter(pc.invert(served)).slice(0, 1).to_pylist():
        raise ValueError(
            f"{path}: image {row['image_id']}, label {row['label_id']}: a {row['kind']} of class "
            f"{row['category_id']}, and no prompter of prompt.sources asks about a {row['kind']}. "
            "Give each object a point, a box or a mask, or remove these labels: methods that learn "
            "from tags (WeakSAM) are not there yet."
        )
    return labels, rows.filter(deleted)


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
