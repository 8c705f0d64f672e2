"""compare: the engines side by side; detectors that learnt from the same labels with each of them.

In come the `training.json`, `log.jsonl` and `predictions.json` of every engine that could train
here, and the held-out images' ground truth; out go `engines.json` and `engines.md`. Both engines do
the same work (same labels, images in the same order, same sizes, schedule and hooks), but their
networks start from different weights and their box losses differ (L1 in detectron2, smooth L1 in
torchvision), so equal numbers are not to be expected.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stages.metrics.coco_ap import detector_ap
from stages.metrics.course import check_same_labels, course_of
from stages.metrics.scorers import scoring_packages
from stages.reporting.engines_table import engines_table
from stages.runtime.atomic import write_text
from stages.runtime.program import parser_of, run, say
from stages.runtime.provenance import provenance_of, sha256_of
from stages.scoring.training_facts import read_training
from stages.scoring.truth import read_results, scoring_truth
from stages.settings.evaluate import Evaluate
from stages.settings.section import from_json, provenance_values


def numbers_of(args: argparse.Namespace, settings: Evaluate) -> dict[str, Any]:
    """Everything behind the table, as written to engines.json.

    Raises
    ------
    ValueError : not one file of each kind per engine, or the engines saw different labels.
    """
    groups = (args.facts, args.logs, args.predictions)
    if len({len(group) for group in groups}) > 1:
        counts = ", ".join(str(len(group)) for group in groups)
        raise ValueError(
            f"compare: --facts, --logs and --predictions have {counts} files. Give one of each for "
            "every engine, in the same order."
        )
    truth = scoring_truth(args.val_ground_truth) if args.val_ground_truth else None
    rows = []
    for facts, log, predictions in zip(*groups, strict=True):
        lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
        scores = scored(truth, predictions, settings) if truth else None
        rows.append({**read_training(facts), **course_of(lines), "detector": scores})
    check_same_labels(rows)
    return {"engines": rows, "absent": args.absent, "provenance": _provenance(args, settings)}


def scored(truth: Mapping[str, Any], predictions: Path, settings: Evaluate) -> dict[str, Any]:
    """The AP of one engine's predictions, as `evaluate` has it."""
    return detector_ap(
        truth,
        read_results(predictions),
        recall_points=settings.recall_points,
        backend=settings.backend,
    )


def _provenance(args: argparse.Namespace, settings: Evaluate) -> dict[str, Any]:
    return provenance_of(
        "stages.compare",
        settings=provenance_values(settings),
        seed=0,
        packages=scoring_packages(settings.backend),
        predictions=[sha256_of(path) for path in args.predictions],
    )


def main(argv: Sequence[str] | None) -> None:
    """Command line of the stage."""
    parser = parser_of(__doc__, "compare")
    for flag in ("facts", "logs", "predictions"):
        parser.add_argument(f"--{flag}", type=Path, nargs="+", required=True, help="per engine")
    parser.add_argument("--val-ground-truth", type=Path, help="to score the predictions")
    parser.add_argument("--absent", nargs="*", default=[], help="engines that are not installed")
    for flag in ("out", "out-table"):
        parser.add_argument(f"--{flag}", type=Path, required=True)
    parser.add_argument("--settings", default="{}", help="JSON of the config section `evaluate`")
    args = parser.parse_args(argv)
    numbers = numbers_of(args, from_json(Evaluate, args.settings, "evaluate"))
    table = engines_table(numbers)
    write_text(args.out_table, table)
    write_text(args.out, json.dumps(numbers, sort_keys=True, indent=1, allow_nan=False) + "\n")
    print(table, end="", flush=True)
    names = ", ".join(row["engine"] for row in numbers["engines"])
    say("compare", f"{names}; not installed: {', '.join(args.absent) or 'none'}.")


if __name__ == "__main__":
    run("compare", main)
