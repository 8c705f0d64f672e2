"""The trail of one image through the stages that are done: gathered from their tables."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from stages.reporting.tag_trail import Row, TagTrail
from stages.reporting.trail_tables import TrailTables, shard_with
from stages.tables.categories import CATEGORIES
from stages.tables.grades import GRADES
from stages.tables.images import IMAGES
from stages.tables.one_image import rows_of_image
from stages.tables.prompts import PROMPTS
from stages.tables.proposals import PROPOSALS
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.record import Record
from stages.tables.selections import SELECTIONS
from stages.tables.table import read_table
from stages.tables.trail import TRAIL
from stages.tables.weak_labels import TAG_BAG, WEAK_LABELS

FEW = 8  # instances that a sentence names


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
    grade : row of table `grades`, or None before grade.
    """

    instance_id: int
    labels: Sequence[Row]
    category: str
    proposals: Sequence[Row]
    scores: dict[int, Row]
    steps: Sequence[Row]
    result: Row | None
    grade: Row | None = None

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


def only(trail: Trail, *, instance_id: int | None = None, category: str | None = None) -> Trail:
    """The part of a trail that is about one object, or about those of a class.

    What tags led to stays for the class, and for an object that was born of one.

    Raises
    ------
    ValueError : there is no such part.
    """
    found = list(trail.instances)
    if instance_id is not None:
        found = [one for one in found if one.instance_id == instance_id]
        category = found[0].category if found and category is None else category
    kept = [one for one in found if category in (None, one.category)]
    tagged = trail.tagged
    if tagged and category is not None:
        classes = {key: name for key, name in tagged.classes.items() if name == category}
        is_led_to = classes and (instance_id is None or instance_id < 0)
        tagged = replace(tagged, classes=classes) if is_led_to else None
    if not kept and not tagged:
        there = ", ".join(f"{one.instance_id} ({one.category})" for one in trail.instances[:FEW])
        what = "of that class" if instance_id is None else f"{instance_id}"
        raise ValueError(
            f"image {trail.image['image_id']} has no instance {what}"
            + (f"; it has {there}." if there else ", and no other.")
        )
    return replace(trail, tagged=tagged, instances=kept)


def trail_of(tables: TrailTables, image_id: int) -> Trail:
    """What the tables hold about one image.

    Raises
    ------
    ValueError : prepare has not run there, or the run has no such image.
    """
    images = rows_of_image(tables.images, IMAGES, image_id).to_pylist()
    if not images:
        raise ValueError(f"there is no image {image_id}. See {tables.images}.")
    categories = read_table(tables.categories, CATEGORIES).to_pylist()
    names = {row["category_id"]: row["name"] for row in categories}
    shards = (
        (tables.prompts, PROMPTS),
        (tables.proposals, PROPOSALS),
        (tables.selections, SELECTIONS),
        (tables.trails, TRAIL),
        (tables.pseudo_labels, PSEUDO_LABELS),
        (tables.grades, GRADES),
    )
    found = _Found(
        rows_of_image(tables.weak_labels, WEAK_LABELS, image_id).to_pylist(),
        *(_rows(paths, record, image_id) for paths, record in shards),
    )
    return Trail(images[0], found.tagged(names), found.instances(names))


@dataclass(frozen=True, slots=True)
class _Found:
    """Rows of one image in the tables of the same names."""

    labels: list[Row]
    prompts: list[Row]
    proposals: list[Row]
    selections: list[Row]
    trail: list[Row]
    pseudo_labels: list[Row]
    grades: list[Row]

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
            next((row for row in self.grades if row["instance_id"] == number), None),
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


def _rows(paths: Sequence[Path], record: Record, image_id: int) -> list[Row]:
    """Rows of one image, of the shard that holds it; none where that is not there."""
    path = shard_with(paths, image_id)
    rows: list[Row] = [] if path is None else rows_of_image(path, record, image_id).to_pylist()
    return rows
