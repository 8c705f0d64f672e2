"""The trail of one image through the stages that are done: gathered from their tables, as text.

Every table is optional but the first two, so that it works on a half-finished run.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from stages.tables.categories import CATEGORIES
from stages.tables.images import IMAGES
from stages.tables.proposals import PROPOSALS
from stages.tables.refinements import REFINEMENTS
from stages.tables.selections import SELECTIONS
from stages.tables.table import Record, read_table
from stages.tables.weak_labels import WEAK_LABELS

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class InstanceTrail:
    """One instance: its weak label, class name, bag, scores by proposal id, and refinement.

    proposals : rows of table `proposals`; empty before propose.
    scores : rows of table `selections` by proposal_id; empty before select.
    refined : row of table `refinements`, or None before refine.
    """

    label: Row
    category: str
    proposals: list[Row]
    scores: dict[int, Row]
    refined: Row | None

    def chosen(self) -> int | None:
        """Id of the proposal that the last finished stage chose, or None."""
        if self.refined:
            return int(self.refined["proposal_id"])
        return self.selected()

    def selected(self) -> int | None:
        """Id of the proposal that select chose, or None before select."""
        return next((key for key, row in self.scores.items() if row["selected"]), None)


@dataclass(frozen=True, slots=True)
class Trail:
    """One image and the trails of its instances, by instance id."""

    image: Row
    instances: list[InstanceTrail]


def gather(run: Path, image_id: int, variant: str) -> Trail:
    """Read what there is about one image.

    Parameters
    ----------
    run : folder `results/<run>`.
    variant : folder below it that holds select and refine.

    Raises
    ------
    ValueError : prepare has not run there, or the run has no such image.
    """
    images = read_table(run / "prepare" / "images.parquet", IMAGES, image_id=image_id)
    if not len(images):
        raise ValueError(f"{run}: there is no image {image_id}. See prepare/images.parquet.")
    names = read_table(run / "prepare" / "categories.parquet", CATEGORIES).to_pylist()
    by_id = {row["category_id"]: row["name"] for row in names}
    labels = read_table(run / "prepare" / "weak_labels.parquet", WEAK_LABELS, image_id=image_id)
    proposals = _rows(run / "propose", PROPOSALS, image_id)
    scores = _rows(run / variant / "select", SELECTIONS, image_id)
    refined = {r["instance_id"]: r for r in _rows(run / variant / "refine", REFINEMENTS, image_id)}
    instances = [
        InstanceTrail(
            label,
            by_id[label["category_id"]],
            [row for row in proposals if row["instance_id"] == label["instance_id"]],
            {
                row["proposal_id"]: row
                for row in scores
                if row["instance_id"] == label["instance_id"]
            },
            refined.get(label["instance_id"]),
        )
        for label in labels.to_pylist()
    ]
    return Trail(images.to_pylist()[0], instances)


def variants_of(run: Path) -> list[str]:
    """Names of the variants of a run, with their seeds, that have at least select's folder."""
    found = [path for pattern in ("*/select", "*/seed-*/select") for path in run.glob(pattern)]
    return sorted(str(path.parent.relative_to(run)) for path in found if path.is_dir())


def _rows(folder: Path, record: Record, image_id: int) -> list[Row]:
    """Rows of one image from the shards of the newest shard count in `folder`."""
    paths = sorted(folder.glob("shard-*-of-*.parquet"))
    if not paths:
        return []
    newest = max(paths, key=lambda path: path.stat().st_mtime_ns).stem.rsplit("-", 1)[-1]
    for path in paths:
        if path.stem.endswith(f"-of-{newest}"):
            rows = read_table(path, record, image_id=image_id)
            if len(rows):
                return _list(rows)
    return []


def _list(table: pa.Table) -> list[Row]:
    rows: list[Row] = table.to_pylist()
    return rows


def text_of(trail: Trail) -> str:
    """The trail as lines for a terminal."""
    image = trail.image
    lines = [
        f"image {image['image_id']}: {image['file_name']}, {image['width']} x {image['height']} px,"
        f" shard {image['shard']}, {len(trail.instances)} instances"
    ]
    for instance in trail.instances:
        lines += ["", *_instance_lines(instance)]
    return "\n".join(lines)


def _instance_lines(instance: InstanceTrail) -> list[str]:
    label = instance.label
    title = f"instance {label['instance_id']}: {instance.category}"
    lines = [f"{title}, point ({label['x']:.1f}, {label['y']:.1f})"]
    if not instance.proposals:
        return [*lines, "  no proposals yet: propose has not reached this image"]
    lines.append(
        "    id  prompt          slot  SAM    stable   area  box                    "
        "S_cls  S_ins  S_dis  score"
    )
    lines += [_proposal_line(row, instance) for row in instance.proposals]
    if instance.refined:
        lines += _refined_lines(instance.refined)
    return lines


def _proposal_line(row: Row, instance: InstanceTrail) -> str:
    number = row["proposal_id"]
    mark = ">" if number == instance.chosen() else "s" if number == instance.selected() else " "
    prompt = f"{row['prompt_kind']}[{row['prompt_index']}]"
    box = ",".join(f"{v:.0f}" for v in row["box"])
    score = instance.scores.get(number)
    tail = (
        "  ".join(f"{score[key]:.3f}" for key in ("score_cls", "score_ins", "score_dis", "score"))
        if score
        else ""
    )
    return (
        f"  {mark} {number:2d}  {prompt:15s} {row['mask_index']:3d}   {row['sam_score']:.3f}  "
        f"{row['stability']:.3f}  {row['area']:6d}  {box:21s}  {tail}"
    ).rstrip()


def _refined_lines(row: Row) -> list[str]:
    boxes = {key: ", ".join(f"{v:.1f}" for v in row[key]) for key in row if key.startswith("box_")}
    return [
        f"    box_psm {boxes['box_psm']}  ->  box_select {boxes['box_select']}  ->  "
        f"box_prm {boxes['box_prm']}",
        f"    BMS rule: {row['bms_rule']}; chosen: proposal {row['proposal_id']} "
        f"(score {row['score']:.4f}, bag score {row['bag_score']:.3f}); "
        f"mask: {row['mask_source']}",
    ]


def image_ids(run: Path, count: int) -> list[int]:
    """The first `count` image ids that have weak labels, for a helpful error message."""
    labels = read_table(run / "prepare" / "weak_labels.parquet", WEAK_LABELS, columns=["image_id"])
    ids: list[int] = pc.unique(labels.column("image_id")).to_pylist()
    return ids[:count]
