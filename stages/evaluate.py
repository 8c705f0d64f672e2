"""evaluate: what the labels and the detector are worth, as one JSON file and one printed table.

In come all tables, the ground truth of the training images (where there is one) and the detector's
predictions on held-out images with their ground truth; out go `metrics.json` and `table.txt`. Label
quality follows SAPNet, Sec. 4.4: each choice of a mask is compared with the object that its weak
label came from (instance_id = annotation id); crowds are left out. `random` is the exact mean over
the bag, `pseudo_label` the mask that refine wrote. Every mean stands beside the number of objects
it rests on; what rests on nothing is null. Without the three tables a detector alone is scored.
This is the only program beside `prepare` that reads true masks.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa

from stages.files.atomic import write_text
from stages.files.program import Progress, parser_of, run, say
from stages.files.provenance import provenance_of
from stages.files.records import CATEGORIES, IMAGES, WEAK_LABELS, read_table, rows_by_image
from stages.files.streams import Cursor, images_of_shards
from stages.geometry.masks import rle_of
from stages.metrics.choices import Bag
from stages.metrics.coco_ap import detector_ap
from stages.metrics.label_quality import LabelQuality, RefinedBoxes
from stages.metrics.object_quality import object_quality
from stages.metrics.table import metrics_table
from stages.readers.bags import COLUMNS, RECORDS, bags_of, chosen_of
from stages.readers.pseudo_labels import label_counts
from stages.readers.truth import TrueObject, Truth, read_results, scoring_truth
from stages.settings.evaluate import Evaluate
from stages.settings.section import from_json, to_values

RULES = ("none", "overlap", "contain")  # of BMS
COUNTS = ("images", "instances", "scored", "without_proposals", "without_truth")


class Judge:
    """Walks over images and collects label quality and counts."""

    def __init__(self, settings: Evaluate, truth: Truth | None):
        self.limits = asdict(settings)
        self.truth = truth
        self.quality = LabelQuality()
        self.counts: Counter[str] = Counter()
        self.rules: Counter[str] = Counter()
        self.refined = RefinedBoxes()

    def image(
        self, image_id: int, labels: Sequence[dict[str, Any]], tables: Mapping[str, pa.Table | None]
    ) -> None:
        """Count one image: its weak labels and its rows of the three tables, None for no rows."""
        bags, chosen = bags_of(tables["proposals"]), chosen_of(tables)
        objects = self.truth.objects(image_id) if self.truth else {}
        refinements = tables["refinements"]
        refined = refinements.to_pylist() if refinements is not None else []
        self.counts.update(images=1, instances=len(labels))
        self.rules.update(row["bms_rule"] for row in refined)
        rows = {row["instance_id"]: row for row in refined}
        for label in labels:
            instance = label["instance_id"]
            if instance not in bags:
                self.counts["without_proposals"] += 1
            elif self.truth and instance not in objects:
                self.counts["without_truth"] += 1
            elif self.truth:
                _check_class(label, objects[instance])
                choices, row = chosen.get(instance, {}), rows.get(instance)
                self._score(bags[instance], choices, row, instance, objects)

    def _score(
        self,
        bag: Bag,
        chosen: Mapping[str, int],
        row: Mapping[str, Any] | None,
        instance: int,
        objects: Mapping[int, TrueObject],
    ) -> None:
        """Score one bag; `chosen` maps a choice to its proposal_id, `row` is of `refinements`."""
        goal = objects[instance]
        rest = [other for key, other in objects.items() if key != instance]
        quality = object_quality(
            bag,
            chosen,
            rle_of(row["rle"], row["height"], row["width"]) if row else None,
            truth=goal.rle,
            truth_box=goal.box,
            others=[other.rle for other in rest if other.category_id == goal.category_id],
            limits=self.limits,
        )
        self.counts["scored"] += 1
        self.quality.add(goal.category_id, quality, difficulty=goal.difficulty)
        if row:
            self.refined.add(row, goal.box)


def _check_class(label: dict[str, Any], goal: TrueObject) -> None:
    if label["category_id"] != goal.category_id:
        raise ValueError(
            f"evaluate: instance {label['instance_id']} has class {label['category_id']}, but "
            f"{goal.category_id} in the ground truth. Give the file that the labels came from."
        )


def label_metrics(judge: Judge) -> dict[str, Any] | None:
    """Label quality; None without ground truth.

    Raises
    ------
    ValueError : no instance is in the ground truth.
    """
    if judge.truth is None:
        return None
    if judge.counts["without_truth"] and not judge.counts["scored"]:
        raise ValueError(
            f"{judge.truth.path}: none of the instances is an annotation of this file with a mask. "
            "Give the file that the weak labels came from, or set dataset.ground_truth: false."
        )
    return {
        "choices": judge.quality.means(),
        "gap": judge.quality.gaps(),
        "refined_box_iou": judge.refined.means(),
        "truth_without_mask": judge.truth.without_mask,
    }


def has_tables(args: Any) -> bool:
    """Whether there are labels to judge; None of the three tables means a detector alone.

    Raises
    ------
    ValueError : some of the tables are given and some are not.
    """
    absent = [f"--{name}" for name in RECORDS if not getattr(args, name)]
    if absent and len(absent) < len(RECORDS):
        raise ValueError(
            f"{' and '.join(absent)} missing: proposals, selections and refinements belong "
            "together. Give all three, or none to score a detector alone."
        )
    return not absent


def judged(args: Any, settings: Evaluate) -> Judge:
    """Walk over all images, one after the other, over all shards."""
    images = read_table(args.images, IMAGES).column("image_id").to_pylist()
    labels = rows_by_image(read_table(args.weak_labels, WEAK_LABELS))
    if not has_tables(args):
        alone = Judge(settings, None)
        alone.counts.update(images=len(images), instances=sum(map(len, labels.values())))
        return alone
    judge = Judge(settings, Truth(args.ground_truth) if args.ground_truth else None)
    cursors = {
        name: Cursor(images_of_shards(getattr(args, name), record, columns=COLUMNS[name]))
        for name, record in RECORDS.items()
    }
    progress = Progress("evaluate", len(images))
    for image_id in images:
        rows = labels[image_id].to_pylist() if image_id in labels else []
        tables = {name: cursor.rows(image_id) for name, cursor in cursors.items()}
        judge.image(image_id, rows, tables)
        progress.step()
    return judge


def metrics_of(args: Any, settings: Evaluate) -> dict[str, Any]:
    """Everything measured, as written to metrics.json."""
    has_tables(args)  # in the first second
    detector = None
    if args.predictions and args.val_ground_truth:
        detector = detector_ap(scoring_truth(args.val_ground_truth), read_results(args.predictions))
    judge = judged(args, settings)
    categories = read_table(args.categories, CATEGORIES).to_pylist()
    return {
        "counts": {name: judge.counts[name] for name in COUNTS},
        "label_quality": label_metrics(judge),
        "bms_rules": {name: judge.rules[name] for name in RULES} if has_tables(args) else None,
        "pseudo_labels": label_counts(args.pseudo_labels) if args.pseudo_labels else None,
        "detector": detector,
        "categories": {str(row["category_id"]): row["name"] for row in categories},
        "provenance": provenance_of(
            "stages.evaluate",
            settings=to_values(settings),
            seed=args.seed,
            packages=("numpy", "pycocotools"),
        ),
    }


def main(argv: Sequence[str] | None) -> None:
    """Command line of the stage."""
    parser = parser_of(__doc__, "evaluate")
    for flag in ("images", "weak-labels", "categories", "out", "out-table"):
        parser.add_argument(f"--{flag}", type=Path, required=True)
    for flag in RECORDS:
        parser.add_argument(f"--{flag}", type=Path, nargs="+", default=[])
    for flag in ("ground-truth", "pseudo-labels", "val-ground-truth", "predictions"):
        parser.add_argument(f"--{flag}", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--settings", default="{}", help="JSON of the config section `evaluate`")
    args = parser.parse_args(argv)
    settings = from_json(Evaluate, args.settings, "evaluate")
    metrics = metrics_of(args, settings)
    table = metrics_table(metrics)
    write_text(args.out_table, table)
    write_text(args.out, json.dumps(metrics, sort_keys=True, indent=1, allow_nan=False) + "\n")
    print(table, end="", flush=True)
    counts = metrics["counts"]
    text = ", ".join(f"{counts[name]} {name.replace('_', ' ')}" for name in COUNTS)
    say("evaluate", f"{text}.")


if __name__ == "__main__":
    run("evaluate", main)
