"""predict: what the detector of a round says of the training images, for the next round.

In come one shard of images and of the pseudo-labels that the detector learned from, and its
weights, or those of two detectors of which each has learned from one half of the images, and is
asked about the other (`refine.relabel.cross_fit`); out go table `predictions`, and table
`label_scores`: how sure it is of each label's class, when it looks at the label's own box. A
refiner of the next round reads both (`refine.method: relabel`). It is in the DAG only where one
does. The truth is not read.
"""

import argparse
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch

from stages.engines.answer_tables import label_scores_table, predictions_table
from stages.engines.engine import ENGINES, Detector, open_engine
from stages.engines.halves import judges_of
from stages.photographs.reading import photograph
from stages.runtime.code import code_of
from stages.runtime.device import leased
from stages.runtime.program import parser_of, run, say
from stages.runtime.progress import Progress
from stages.runtime.provenance import provenance_of, sha256_of
from stages.runtime.threads import use_threads
from stages.settings.predict import Predict
from stages.settings.section import from_json, provenance_values, to_values
from stages.settings.train import Train
from stages.tables.images import shard_images
from stages.tables.in_parts import write_in_parts
from stages.tables.label_scores import LABEL_SCORES
from stages.tables.predictions import CROSSED, PREDICTIONS
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.shards import check_members, rows_digest
from stages.tables.streams import Cursor, images_of_file
from stages.tables.table import read_table

READ = ("image_id", "instance_id", "category_id", "box")


def main(argv: Sequence[str] | None) -> None:
    """Command line of the stage."""
    args = _parser().parse_args(argv)
    use_threads(args.threads)
    predict = from_json(Predict, args.settings, "predict")
    train = from_json(Train, args.train_settings, "train")
    images = shard_images(args.images, args.shard)
    rows = {row["image_id"]: row for row in images.to_pylist()}
    check_members(
        read_table(args.pseudo_labels, PSEUDO_LABELS, columns=["image_id"]),
        rows,
        args.pseudo_labels,
    )
    with ExitStack() as stack:
        device = cache(lambda: stack.enter_context(leased(args.device)))
        opened = cache(lambda path: _opened(train, path, device()))
        detections, scores = write_in_parts(
            [(args.out, PREDICTIONS), (args.out_scores, LABEL_SCORES)],
            list(rows),
            looked_at(args, opened, rows, predict),
            provenance=facts_of(args, predict, train),
            chunk=predict.chunk,
            progress=Progress("predict", len(rows)),
            inputs=(args.pseudo_labels,),
            also={"rows": rows_digest(images)},
        )
    say("predict", f"{len(rows)} images, {len(detections)} detections, {len(scores)} labels seen.")


def _parser() -> argparse.ArgumentParser:
    parser = parser_of(__doc__, "predict")
    for flag in ("image-folder", "images", "pseudo-labels", "out", "out-scores"):
        parser.add_argument(f"--{flag}", type=Path, required=True)
    parser.add_argument("--model", type=Path, nargs="+", required=True, help="one, or two halves")
    parser.add_argument("--shard", required=True, help="such as 0003-of-0128")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--settings", default="{}", help="JSON of the config section `predict`")
    parser.add_argument("--train-settings", default="{}", help="JSON of the section `train`")
    return parser


def _opened(train: Train, model: Path, device: torch.device) -> Detector:
    """A detector; called for its first image that no part holds."""
    detector: Detector = open_engine(train).opened_detector(train, model, device)
    return detector


def looked_at(
    args: argparse.Namespace,
    opened: Callable[[Path], Detector],
    rows: dict[int, dict[str, Any]],
    predict: Predict,
) -> Callable[[int], list[pa.Table]]:
    """What makes the rows of one image after the other, along rising ids.

    Parameters
    ----------
    opened : gives the detector of a model file. rows : of table `images`, by id.
    """
    labels = Cursor(images_of_file(args.pseudo_labels, PSEUDO_LABELS, columns=READ))
    judges = cache(lambda: judges_of(args.model))

    def tables(image_id: int) -> list[pa.Table]:
        row, mine = rows[image_id], labels.rows(image_id)
        pixels = photograph(args.image_folder, row)
        detector = opened(judges().of(image_id))
        return [
            predictions_table(detector, row, pixels, least=predict.score),
            label_scores_table(detector, pixels, mine),
        ]

    return tables


def facts_of(args: argparse.Namespace, predict: Predict, train: Train) -> dict[str, Any]:
    """Provenance of the tables."""
    engine, models = open_engine(train), [sha256_of(path) for path in args.model]
    return provenance_of(
        "stages.predict",
        settings=to_values(predict),
        seed=0,
        shard=args.shard,
        packages=engine.PACKAGES,
        built=engine.BUILT,
        code=code_of("stages.predict", ENGINES[train.engine].module),
        train_settings=provenance_values(train),
        **({"model_sha256": models[0]} if len(models) == 1 else {CROSSED: models}),
    )


if __name__ == "__main__":
    run("predict", main)
