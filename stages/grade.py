"""grade: how far each pseudo-label can be trusted, without ground truth.

In come a shard of the tables `proposals`, `selections` and `pseudo_labels` with their weak labels;
out goes table `grades`: `score`, how sure it is that a label is an object of its class, and
`mask_quality`, the IoU that is expected of its mask, both as probabilities that hold on average
(calibrated), with the evidence that they rest on and what of it speaks against the label. What the
methods of the papers say themselves stays where it is, in the tables of `select` and `refine`; with
`grade.method: own` it is taken over.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from stages.grading.grader_file import read_graders
from stages.grading.verdicts import grades_of
from stages.learning.shard import Shard, check_selections, checked_bags, opened_shard
from stages.runtime.code import code_of
from stages.runtime.program import Sentence, parser_of, run, say
from stages.runtime.progress import Progress
from stages.runtime.provenance import provenance_of, sha256_of
from stages.settings.grade import Grade
from stages.settings.section import from_json, provenance_values
from stages.tables.grades import GRADES
from stages.tables.in_parts import write_in_parts
from stages.tables.members import Members
from stages.tables.proposals import PROPOSALS
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.selections import SELECTIONS
from stages.tables.shards import check_seed, check_shard
from stages.tables.streams import Cursor, images_of_file

TABLES = {
    "proposals": (
        PROPOSALS,
        ("bag_id", "proposal_id", "rle", "predicted_iou", "stability", "valid"),
    ),
    "selections": (
        SELECTIONS,
        (
            *("bag_id", "proposal_id", "category_id", "score", "bag_score"),
            *("score_cls", "score_ins"),
        ),
    ),
    "pseudo_labels": (
        PSEUDO_LABELS,
        (
            *("instance_id", "category_id", "box", "box_given", "rle", "height", "width"),
            *("score", "mask_quality", "mask_source", "proposal_id"),
        ),
    ),
}
DOUBTFUL = 0.5  # expected IoU below which a label is counted in the closing sentence


class ImageGrader:
    """Rows of one image after the other, along rising ids."""

    def __init__(
        self, settings: Grade, weak_labels: Mapping[int, pa.Table], paths: Mapping[str, Path]
    ):
        self.graders = None
        if settings.method == "additive":
            self.graders = read_graders(Path(settings.model or ""))
        self.weak_labels = weak_labels
        self.cursors = {
            name: Cursor(images_of_file(paths[name], record, columns=columns))
            for name, (record, columns) in TABLES.items()
        }

    def __call__(self, image_id: int) -> list[pa.Table]:
        """Table `grades` of one image."""
        rows = {name: cursor.rows(image_id) for name, cursor in self.cursors.items()}
        weak = self.weak_labels.get(image_id)
        found = {name: [] if table is None else table.to_pylist() for name, table in rows.items()}
        return [
            grades_of(
                self.graders,
                found["pseudo_labels"],
                [] if weak is None else weak.to_pylist(),
                found["proposals"],
                found["selections"],
            )
        ]


def main(argv: Sequence[str] | None) -> None:
    """Command line of the stage."""
    parser = parser_of(__doc__, "grade")
    for flag in ("images", "weak-labels", "proposals", "selections", "pseudo-labels", "out"):
        parser.add_argument(f"--{flag}", type=Path, required=True)
    parser.add_argument("--shard", required=True, help="such as 0003-of-0128")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--settings", default="{}", help="JSON of the config section `grade`")
    args = parser.parse_args(argv)
    settings = from_json(Grade, args.settings, "grade")
    paths = {name: getattr(args, name) for name in TABLES}
    shard = opened_shard(args.images, args.weak_labels, args.shard)
    bags = checked_bags(shard, args.proposals)
    check_selections(shard, args.selections, bags, seed=args.seed)
    check_labelled(shard, args.pseudo_labels, seed=args.seed)
    [table] = write_in_parts(
        [(args.out, GRADES)],
        shard.image_ids,
        ImageGrader(settings, shard.labels_of, paths),
        provenance=facts_of(settings, seed=args.seed, shard=args.shard),
        chunk=settings.chunk,
        progress=Progress("grade", len(shard.image_ids)),
        inputs=tuple(paths.values()),
        also={"rows": shard.deciding()},
    )
    say("grade", counted(table))


def check_labelled(shard: Shard, pseudo_labels: Path, *, seed: int) -> None:
    """Raise ValueError unless a file has a pseudo-label of each object, and of no others."""
    check_seed(pseudo_labels, PSEUDO_LABELS, seed)
    check_shard(pseudo_labels, PSEUDO_LABELS, shard.name)
    Members(shard.table, shard.labels).check_labelled(pseudo_labels)


def facts_of(settings: Grade, *, seed: int, shard: str) -> dict[str, object]:
    """Provenance: of the model too, where one is asked."""
    is_asked = settings.method == "additive" and settings.model
    model = {"model_sha256": sha256_of(Path(settings.model or ""))} if is_asked else {}
    return provenance_of(
        "stages.grade",
        settings=provenance_values(settings),
        code=code_of("stages.grade"),
        seed=seed,
        packages=("pycocotools", "opencv-python-headless"),
        shard=shard,
        **model,
    )


def counted(grades: pa.Table) -> Sentence:
    """What was found, for the log."""
    qualities = grades.column("mask_quality").to_numpy()
    doubtful = int((qualities < DOUBTFUL).sum())
    mean = f"{qualities.mean():.3f}" if len(qualities) else "-"
    return (
        f"{len(grades)} labels graded, expected mask IoU {mean}, {doubtful} of them below "
        f"{DOUBTFUL:g}."
    )


if __name__ == "__main__":
    run("grade", main)
