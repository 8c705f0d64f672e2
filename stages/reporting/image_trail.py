"""The trail of one image through the stages that are done: gathered from their tables.

Every table is optional but the first three, so that it works on a half-finished run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.compute as pc

from stages.reporting.run_folders import RunFolders
from stages.reporting.tag_trail import Row, TagTrail
from stages.tables.categories import CATEGORIES
from stages.tables.images import IMAGES
from stages.tables.prompts import PROMPTS
from stages.tables.proposals import PROPOSALS
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.record import Record
from stages.tables.selections import SELECTIONS
from stages.tables.table import read_table
from stages.tables.trail import TRAIL
from stages.tables.weak_labels import TAG_BAG, WEAK_LABELS


@dataclass(frozen=True, slots=True)
class InstanceTrail:
    """One object: what was said about it, its bag, its scores and what became of it.

    Attributes
    ----------
    labels : rows of table `weak_labels`, at least one. category : name of its class.
    proposals : rows of table `proposals`; empty before propose, and where a mask was given; of one
        born of a tag the proposal alone that it started from.
    scores : rows of table `selections` by proposal_id; empty before select.
    steps : rows of table `trail`. result : row of table `pseudo_labels`, or None before refine.
    """

    instance_id: int
    labels: Sequence[Row]
    category: str
    proposals: Sequence[Row]
    scores: dict[int, Row]
    steps: Sequence[Row]
    result: Row | None

    def chosen(self) -> int | None:
        """Id of the proposal that the last finished stage chose, or None."""
        return self.result["proposal_id"] if self.result else self.selected()

    def selected(self) -> int | None:
        """Id of the proposal that select chose, or None before select."""
        return next((key for key, row in self.scores.items() if row["selected"]), None)


@dataclass(frozen=True, slots=True)
class Trail:
    """One image, what its tags led to, and the trails of its objects.

    tagged : None for an image without tags.
    """

    image: Row
    tagged: TagTrail | None
    instances: Sequence[InstanceTrail]

    @property
    def tags(self) -> Sequence[str]:
        """Names of its tags."""
        return [*self.tagged.classes.values()] if self.tagged else []


def gather(folders: RunFolders, image_id: int, variant: str) -> Trail:
    """Read what there is about one image.

    Raises
    ------
    ValueError : prepare has not run there, or the run has no such image.
    """
    prepared = folders.stage(variant, "prepare")
    images = read_table(prepared / "images.parquet", IMAGES, image_id=image_id)
    if not len(images):
        raise ValueError(
            f"{folders.run}: there is no image {image_id}. See {prepared / 'images.parquet'}."
        )
    categories = read_table(prepared / "categories.parquet", CATEGORIES).to_pylist()
    names = {row["category_id"]: row["name"] for row in categories}
    labels = read_table(prepared / "weak_labels.parquet", WEAK_LABELS, image_id=image_id)
    refined = folders.stage(variant, "refine")
    found = _Found(
        labels.to_pylist(),
        _rows(folders.stage(variant, "prompt"), "shard", PROMPTS, image_id),
        _rows(folders.stage(variant, "propose"), "shard", PROPOSALS, image_id),
        _rows(folders.stage(variant, "select"), "shard", SELECTIONS, image_id),
        _rows(refined, "trail", TRAIL, image_id),
        _rows(refined, "shard", PSEUDO_LABELS, image_id),
    )
    return Trail(images.to_pylist()[0], found.tagged(names), found.instances(names))


@dataclass(frozen=True, slots=True)
class _Found:
    """Rows of one image in the tables of the same names."""

    labels: list[Row]
    prompts: list[Row]
    proposals: list[Row]
    selections: list[Row]
    trail: list[Row]
    pseudo_labels: list[Row]

    def tagged(self, names: dict[int, str]) -> TagTrail | None:
        """What the image's tags led to; None without tags that count."""
        tags = [row for row in self.labels if row["kind"] == "tag" and row["status"] != "deleted"]
        if not tags:
            return None
        tables = (self.prompts, self.proposals, self.selections)
        prompts, proposals, scored = (
            [row for row in rows if row["bag_id"] == TAG_BAG] for rows in tables
        )
        classes = {row["category_id"]: names[row["category_id"]] for row in tags}
        valid = [row for row in proposals if row["valid"]]
        return TagTrail(classes, prompts, valid, scored)

    def instances(self, names: dict[int, str]) -> list[InstanceTrail]:
        """Each object that has a label or a pseudo-label, by id; then those born of tags."""
        labelled = {row["instance_id"] for row in self.labels} - {None}
        born = {row["instance_id"] for row in self.pseudo_labels}
        return [self._instance(number, names) for number in sorted(labelled | born, key=_place)]

    def _instance(self, number: int, names: dict[int, str]) -> InstanceTrail:
        result = next((row for row in self.pseudo_labels if row["instance_id"] == number), None)
        rests_on = result["label_ids"] if result else []
        labels = [
            row
            for row in self.labels
            if row["instance_id"] == number or row["label_id"] in rests_on
        ]
        proposals, scores = self._bag(number, result)
        return InstanceTrail(
            number,
            labels,
            names[(result or labels[0])["category_id"]],
            proposals,
            {row["proposal_id"]: row for row in scores},
            [row for row in self.trail if row["instance_id"] == number],
            result,
        )

    def _bag(self, number: int, result: Row | None) -> tuple[list[Row], list[Row]]:
        """Proposals and scores of an object; of one born of a tag those that it started from."""
        if number >= 0:
            tables = (self.proposals, self.selections)
            mine = [[row for row in rows if row["bag_id"] == number] for rows in tables]
            return mine[0], mine[1]
        start = (TAG_BAG, result["proposal_id"] if result else None)
        offered = [r for r in self.proposals if (r["bag_id"], r["proposal_id"]) == start]
        scored = [r for r in self.selections if (r["bag_id"], r["proposal_id"]) == start]
        return offered, [r for r in scored if result and r["category_id"] == result["category_id"]]


def _place(number: int) -> tuple[bool, int]:
    """Own ids first and rising; -1, the best of what was born of a tag, before -2."""
    return number < 0, abs(number)


def _rows(folder: Path, name: str, record: Record, image_id: int) -> list[Row]:
    """Rows of one image from the shards of the newest shard count in `folder`.

    name : what the files' names begin with.
    """
    paths = sorted(folder.glob(f"{name}-*-of-*.parquet"))
    if not paths:
        return []
    newest = max(paths, key=lambda path: path.stat().st_mtime_ns).stem.rsplit("-", 1)[-1]
    for path in paths:
        if path.stem.endswith(f"-of-{newest}"):
            rows: list[Row] = read_table(path, record, image_id=image_id).to_pylist()
            if rows:
                return rows
    return []


def image_ids(folders: RunFolders, variant: str, count: int) -> list[int]:
    """The first `count` image ids that have weak labels, for a helpful error message."""
    path = folders.stage(variant, "prepare") / "weak_labels.parquet"
    labels = read_table(path, WEAK_LABELS, columns=["image_id"])
    ids: list[int] = pc.unique(labels.column("image_id")).to_pylist()
    return ids[:count]
