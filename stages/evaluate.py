"""evaluate: what the labels and the detector are worth, as one JSON file and one printed table.

In come all tables, the ground truth of the training images (where there is one) and the detector's
predictions on held-out images with their ground truth; out go `metrics.json` and `table.txt`. Label
quality follows SAPNet, Sec. 4.4: each choice of a proposal is compared with the object that its
weak label came from (instance_id = annotation id); crowds are left out. `random` is the exact mean
over the bag. Every mean stands beside the number of objects it rests on; what rests on nothing is
null. This is the only program beside `prepare` that reads true masks.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from stages.files.atomic import write_text
from stages.files.program import Progress, parser_of, run, say
from stages.files.provenance import provenance_of
from stages.files.records import (
    CATEGORIES,
    IMAGES,
    PROPOSALS,
    REFINEMENTS,
    SELECTIONS,
    WEAK_LABELS,
    boxes_of,
    read_table,
    rows_by_image,
)
from stages.files.streams import Cursor, images_of_shards
from stages.geometry.boxes import box_area
from stages.geometry.masks import rle_areas, rle_boxes, rle_of
from stages.metrics.choices import Bag, choice_weights
from stages.metrics.coco_ap import detector_ap
from stages.metrics.label_quality import LabelQuality, RefinedBoxes
from stages.metrics.mask_quality import mask_statistics
from stages.metrics.table import metrics_table
from stages.readers.pseudo_labels import label_counts
from stages.readers.truth import TrueObject, Truth, read_results, scoring_truth
from stages.settings.evaluate import Evaluate
from stages.settings.section import from_json, to_values

COLUMNS = {  # of each table, so that no more is read than is needed
    "proposals": (
        *("image_id", "instance_id", "proposal_id", "prompt_kind", "mask_index", "box", "area"),
        *("rle", "height", "width", "sam_score"),
    ),
    "selections": ("image_id", "instance_id", "proposal_id", "selected"),
    "refinements": (
        *("image_id", "instance_id", "box_psm", "box_select", "box_prm", "bms_rule"),
        *("proposal_id", "proposal_id_select"),
    ),
}
RECORDS = {"proposals": PROPOSALS, "selections": SELECTIONS, "refinements": REFINEMENTS}
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
        bags, chosen = _bags(tables["proposals"]), _chosen(tables)
        objects = self.truth.objects(image_id) if self.truth else {}
        refinements = tables["refinements"]
        refined = refinements.to_pylist() if refinements is not None else []
        self.counts.update(images=1, instances=len(labels))
        self.rules.update(row["bms_rule"] for row in refined)
        boxes = {row["instance_id"]: row for row in refined}
        for label in labels:
            instance = label["instance_id"]
            if instance not in bags:
                self.counts["without_proposals"] += 1
            elif self.truth and instance not in objects:
                self.counts["without_truth"] += 1
            elif self.truth:
                _check_class(label, objects[instance])
                self._score(bags[instance], chosen.get(instance, {}), instance, objects)
                if instance in boxes:
                    self.refined.add(boxes[instance], objects[instance].box)

    def _score(
        self, bag: Bag, chosen: Mapping[str, int], instance: int, objects: dict[int, TrueObject]
    ) -> None:
        """Score one bag; `chosen` maps a choice to its proposal_id."""
        goal = objects[instance]
        others = [
            other.rle
            for key, other in objects.items()
            if key != instance and other.category_id == goal.category_id
        ]
        statistics = mask_statistics(bag.rles, bag.boxes, goal.rle, goal.box, others, **self.limits)
        self.counts["scored"] += 1
        self.quality.add(
            goal.category_id,
            statistics,
            choice_weights(bag, statistics, chosen),
            ratios=bag.area / box_area(bag.boxes),
            truth_ratio=float(rle_areas([goal.rle])[0] / box_area(rle_boxes([goal.rle])[0])),
        )


def _bags(table: pa.Table | None) -> dict[int, Bag]:
    """Bags of one image by instance; proposals that belong to none are left out."""
    if table is None:
        return {}
    ids = np.asarray(table.column("instance_id").to_pylist())
    wanted = [int(i) for i in dict.fromkeys(ids.tolist()) if i is not None]
    return {instance: _bag(table.filter(pa.array(ids == instance))) for instance in wanted}


def _bag(rows: pa.Table) -> Bag:
    size = rows.column("height")[0].as_py(), rows.column("width")[0].as_py()
    return Bag(
        rles=[rle_of(counts, *size) for counts in rows.column("rle").to_pylist()],
        boxes=boxes_of(rows).astype(np.float64),
        area=rows.column("area").to_numpy(),
        proposal_id=rows.column("proposal_id").to_numpy(),
        slot=rows.column("mask_index").to_numpy(),
        is_point=np.array([kind == "point" for kind in rows.column("prompt_kind").to_pylist()]),
        sam_score=rows.column("sam_score").to_numpy(),
    )


def _chosen(tables: Mapping[str, pa.Table | None]) -> dict[int, dict[str, int]]:
    """For each instance the proposal_id that PSM, PRM and PRM+BMS chose."""
    chosen: dict[int, dict[str, int]] = {}
    selections, refinements = tables["selections"], tables["refinements"]
    for row in selections.to_pylist() if selections is not None else []:
        if row["selected"]:
            chosen.setdefault(row["instance_id"], {})["psm"] = row["proposal_id"]
    for row in refinements.to_pylist() if refinements is not None else []:
        entry = chosen.setdefault(row["instance_id"], {})
        entry["prm"], entry["prm_bms"] = row["proposal_id_select"], row["proposal_id"]
    return chosen


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


def judged(args: Any, settings: Evaluate) -> Judge:
    """Walk over all images, one after the other, over all shards."""
    images = read_table(args.images, IMAGES).column("image_id").to_pylist()
    labels = rows_by_image(read_table(args.weak_labels, WEAK_LABELS))
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
    detector = None
    if args.predictions and args.val_ground_truth:
        detector = detector_ap(scoring_truth(args.val_ground_truth), read_results(args.predictions))
    judge = judged(args, settings)
    categories = read_table(args.categories, CATEGORIES).to_pylist()
    return {
        "counts": {name: judge.counts[name] for name in COUNTS},
        "label_quality": label_metrics(judge),
        "bms_rules": {name: judge.rules[name] for name in ("none", "overlap", "contain")},
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
        parser.add_argument(f"--{flag}", type=Path, nargs="+", required=True)
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
