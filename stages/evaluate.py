"""evaluate: what the labels and the detector are worth, as JSON, one printed table and a picture.

In come all tables, the pseudo-labels, the ground truth of the training images (where there is one)
and the detector's predictions on held-out images with their ground truth; out go `metrics.json`,
`table.txt` and the figure. Label quality follows SAPNet, Table 7: each choice of a mask is
compared with the object that its weak label came from (instance_id = annotation id); crowds are
left out, and masks that were given are counted, not scored. `random` is the exact mean over the
bag, `pseudo_label` the mask that export wrote, after its transforms (without its file, that of
refine). Every mean stands beside the number of objects it rests on; what rests on nothing is null.
Without the tables a detector alone is scored.

With `evaluate.match: iou` (WeakSAM, Tables 4, 5 and 7), and with `auto` where all weak labels are
tags, no instance id is looked at: labels and true objects are matched within image and class;
proposals have their recall, and the detections of the tags' bag CorLoc and AP50 on the training
images, whose tags are known. Without the tables `--exported` may then be anybody's COCO file
of labels.

Beside this program `prepare` and `translate` read true masks, and a training that is told to look
(`train.evaluate_every`).
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stages.formats.exported import label_counts
from stages.metrics.label_judge import COUNTS, Judge
from stages.metrics.match_judge import MatchJudge
from stages.metrics.scorers import backend_of, scoring_packages
from stages.reporting.match_table import MATCHED
from stages.reporting.metrics_table import metrics_table
from stages.reporting.quality_figure import draw_quality
from stages.runtime.atomic import write_text
from stages.runtime.program import Sentence, parser_of, run, say
from stages.runtime.progress import Progress
from stages.runtime.provenance import provenance_of
from stages.scoring.average_precision import detector_metrics, labels_as_detections
from stages.scoring.best_ious import add_best_ious
from stages.scoring.coco_shapes import CocoShapes
from stages.scoring.judged_images import judged_images
from stages.scoring.label_trust import label_trust
from stages.scoring.matched_images import (
    ExportedLabels,
    Labels,
    RefinedLabels,
    StrangeLabels,
    is_by_iou,
    matched_images,
)
from stages.scoring.object_ious import ObjectIous
from stages.scoring.training_facts import read_training
from stages.scoring.truth import Truth
from stages.scoring.whole_run import RECORDS, check_run, has_tables
from stages.settings.evaluate import Evaluate
from stages.settings.section import from_json, provenance_values
from stages.tables.categories import CATEGORIES
from stages.tables.images import IMAGES
from stages.tables.judged_objects import JUDGED_OBJECTS
from stages.tables.members import Members
from stages.tables.shards import check_alike
from stages.tables.table import read_table, rows_by_image, write_table
from stages.tables.weak_labels import WEAK_LABELS

RULES = ("none", "overlap", "contain")  # of BMS
LIMITS = ("group_cover", "local_cover", "local_inside")  # settings that define error shares


def label_metrics(judge: Judge, truth: Truth | None, categories: int) -> dict[str, Any] | None:
    """Label quality; None without ground truth.

    Raises
    ------
    ValueError : no instance is in the ground truth.
    """
    if truth is None:
        return None
    if judge.counts["without_truth"] and not judge.counts["scored"]:
        raise ValueError(
            f"{truth.path}: none of the instances is an annotation of this file with a mask. "
            "Give the file that the weak labels came from, or set dataset.ground_truth: false."
        )
    return {**judge.summary(categories=categories), "truth_without_mask": truth.without_mask}


def judged(args: Any, settings: Evaluate, truth: Truth | None, ious: ObjectIous) -> Judge:
    """Walk over all images, one after the other, over all shards; `ious` is filled."""
    images = read_table(args.images, IMAGES)
    members = Members(images, read_table(args.weak_labels, WEAK_LABELS))
    judge = Judge({name: getattr(settings, name) for name in LIMITS}, settings.sizes)
    if not has_tables(args):
        judge.counts.update(images=len(images), instances=members.objects)
        return judge
    tables = {name: getattr(args, name) for name in RECORDS}
    check_run(tables, members)
    progress = Progress("evaluate", len(images))
    ids, labels = images.column("image_id").to_pylist(), rows_by_image(members.labels)
    seen = judged_images(ids, labels, tables, exported=args.exported, truth=truth)
    for image_id, image in zip(ids, seen, strict=True):
        ious.add(image_id, judge.image(image))
        progress.step()
    return judge


def by_instance(args: Any, settings: Evaluate, categories: int, ious: ObjectIous) -> dict[str, Any]:
    """What `match: instance` measures; labels born of tags are counted, and that is said."""
    is_judging = has_tables(args)
    truth = Truth(args.ground_truth) if args.ground_truth and is_judging else None
    judge = judged(args, settings, truth, ious)
    return {
        "counts": {name: judge.counts[name] for name in COUNTS},
        "label_quality": label_metrics(judge, truth, categories),
        "bms_rules": {name: judge.rules[name] for name in RULES} if is_judging else None,
        "tags": dict(judge.tags) if judge.tags["tags"] else None,
        "box_agreement": judge.drops.rates(),
        **dict.fromkeys(MATCHED),
    }


def by_iou(args: Any, ious: ObjectIous) -> dict[str, Any]:
    """What `match: iou` measures; `ious` is filled."""
    images = read_table(args.images, IMAGES)
    ids = images.column("image_id").to_pylist()
    members = Members(images, read_table(args.weak_labels, WEAK_LABELS))
    tables = {name: getattr(args, name) for name in RECORDS} if has_tables(args) else None
    if tables:
        check_run(tables, members)
    truth = CocoShapes(args.ground_truth) if args.ground_truth else None
    stranger = CocoShapes(args.exported) if args.exported and not tables else None
    for file in (truth, stranger):
        if file:
            file.check_images(ids)
    if truth and stranger:
        stranger.check_classes(truth)
    judge = MatchJudge(is_masked=all(file.is_masked for file in (truth, stranger) if file))
    progress = Progress("evaluate", len(ids))
    given, labels = labels_of(args, stranger), rows_by_image(members.labels)
    for image in matched_images(ids, labels, tables, given=given, truth=truth):
        judge.image(image)
        progress.step()
    if tables and truth and truth.is_masked:
        add_best_ious(ious, ids, tables, exported=args.exported, truth=truth)
    counts = {"images": len(ids), "instances": members.objects, "scored": judge.seen["objects"]}
    found = {**dict.fromkeys(COUNTS, 0), **counts, "given": members.given}
    rules: dict[str, int] | None = {} if tables or stranger else None  # no rule of BMS is looked at
    return {"counts": found, "label_quality": None, "bms_rules": rules, **judge.summary()}


def labels_of(args: Any, stranger: CocoShapes | None) -> Labels:
    """The pseudo-labels to match: as export wrote them, as refine left them, or of others."""
    if not has_tables(args):
        return StrangeLabels(stranger)
    return ExportedLabels(args.exported) if args.exported else RefinedLabels()


def metrics_of(args: Any, settings: Evaluate, ious: ObjectIous) -> dict[str, Any]:
    """Everything measured, as written to metrics.json; `ious` is filled."""
    check_alike({args.images: IMAGES, args.weak_labels: WEAK_LABELS, args.categories: CATEGORIES})
    is_iou, has_labels = is_by_iou(settings.match, args.weak_labels), has_tables(args)
    backend_of(settings.backend)  # in the first second, as the line before and that which follows
    training = read_training(args.training) if args.training else None
    categories = read_table(args.categories, CATEGORIES).to_pylist()
    detector = detector_metrics(args, settings)
    ours = args.exported if has_labels or not is_iou else None  # a stranger's has no weights
    return {
        **(by_iou(args, ious) if is_iou else by_instance(args, settings, len(categories), ious)),
        "pseudo_labels": label_counts(ours) if ours else None,
        "label_ap": labels_as_detections(args, settings),
        "trust": label_trust(ious.table(), args.grades, args.pseudo_labels),
        "training": training,
        "detector": detector,
        "categories": {str(row["category_id"]): row["name"] for row in categories},
        "provenance": provenance_of(
            "stages.evaluate",
            settings=provenance_values(settings),
            seed=args.seed,
            packages=scoring_packages(settings.backend),
        ),
    }


def counted(metrics: Mapping[str, Any]) -> Sentence:
    """The closing sentence of the log."""
    counts, match = metrics["counts"], metrics["label_match"]
    if match is None:
        return ", ".join(f"{counts[name]} {name.replace('_', ' ')}" for name in COUNTS) + "."
    numbers = match["masks"] or match["boxes"]
    return (
        f"{match['images']} images, {numbers['labels']} labels of {numbers['objects']} objects by "
        f"IoU: {numbers['matched']} matched, {numbers['missed']} missed, {numbers['extra']} extra."
    )


def main(argv: Sequence[str] | None) -> None:
    """Command line of the stage."""
    parser = parser_of(__doc__, "evaluate")
    for flag in ("images", "weak-labels", "categories", "out", "out-table"):
        parser.add_argument(f"--{flag}", type=Path, required=True)
    for flag in RECORDS:
        parser.add_argument(f"--{flag.replace('_', '-')}", type=Path, nargs="+", default=[])
    parser.add_argument("--exported", type=Path, help="pseudo_labels.json of export")
    for flag in ("ground-truth", "val-ground-truth", "predictions"):
        parser.add_argument(f"--{flag}", type=Path)
    parser.add_argument("--training", type=Path, help="training.json of the detector")
    parser.add_argument("--out-figure", type=Path, help="PNG")
    parser.add_argument("--out-objects", type=Path, help="the IoU of each label by instance")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--settings", default="{}", help="JSON of the config section `evaluate`")
    args = parser.parse_args(argv)
    settings = from_json(Evaluate, args.settings, "evaluate")
    ious = ObjectIous()
    metrics = metrics_of(args, settings, ious)
    table = metrics_table(metrics)
    if args.out_figure:
        draw_quality(metrics, args.out_figure)
    if args.out_objects:
        write_table(args.out_objects, ious.table(), JUDGED_OBJECTS, metrics["provenance"])
    write_text(args.out_table, table)
    write_text(args.out, json.dumps(metrics, sort_keys=True, indent=1, allow_nan=False) + "\n")
    print(table, end="", flush=True)
    if metrics["detector"]:
        say("evaluate", f"detections scored by {metrics['detector']['scored_by']}.")
    say("evaluate", counted(metrics))


if __name__ == "__main__":
    run("evaluate", main)
