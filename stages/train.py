"""train: a detector learns from the pseudo-labels.

In come images and a COCO file of labels; out go the weights, a log with one line of JSON per step,
facts about the training, and the same network as its library opens it without us (weights,
configuration, metrics). What it says of images is asked by `predict_held_out` and `predict`.
Held-out images are looked at where `train.evaluate_every` says so, and then with their truth.
SAPNet, Sec. 4.1 and Table 1 (retraining; the paper has SOLOv2 and Mask R-CNN). A killed training
goes on from its checkpoint and ends with the same weights, bit by bit on the CPU.
"""

import argparse
import json
import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from stages.engines.before_training import (
    check_categories,
    check_images,
    check_labels,
    check_paths,
)
from stages.engines.best import Validation
from stages.engines.config_files import config_files
from stages.engines.engine import ENGINES, Engine, open_engine
from stages.engines.facts import facts_of_training, hooks_told
from stages.engines.halves import HALVES, half_of
from stages.engines.stock import write_stock
from stages.engines.training_labels import Labels
from stages.formats.coco import read_coco
from stages.runtime.atomic import replacing, write_text
from stages.runtime.code import code_of
from stages.runtime.device import leased
from stages.runtime.processes import Team, joined
from stages.runtime.program import Sentence, parser_of, run, say
from stages.runtime.provenance import provenance_of, sha256_of
from stages.runtime.threads import use_threads
from stages.runtime.unfinished import parts_folder, remove_parts
from stages.scoring.truth import scoring_truth
from stages.settings.section import from_json, provenance_values
from stages.settings.train import Train

FLAGS = ("image-folder", "labels", "out-model", "out-log", "out-facts")
STOCK = ("weights", "config", "metrics")  # of the network as its own library opens it
MODEL, LOG = "model.pt", "log.jsonl"  # in the folder of the work in progress


def main(argv: Sequence[str] | None) -> None:
    """Command line of the stage."""
    args = _parser().parse_args(argv)
    settings = from_json(Train, args.settings, "train")
    check_arguments(args, settings)
    if settings.seed is not None:
        args.seed = settings.seed
    engine = open_engine(settings)
    use_threads(args.threads)
    labels = labels_of(args, settings)
    check_labels(labels, settings)
    check_paths(labels, args.image_folder, follow_links=args.follow_links)
    header = {
        **_provenance(settings, args.seed, engine),
        "reading": json.loads(args.reading),
        "categories": labels.categories,
        **({"half": args.half} if args.half else {}),
    }
    validation = validation_of(args, settings, labels)
    inputs = [args.labels, *([args.val_annotations] if validation else [])]
    with joined(settings.processes, args.device) as team:
        with team.leader_first():
            folder = parts_folder(args.out_model, header, labels.image_ids, inputs=inputs)
        with leased(args.device) as device:
            log = trained(engine, settings, labels, folder, args, device, header, team, validation)
            team.wait()  # the others may still read and write in `folder`
        if team.leads:
            facts = leave(engine, settings, labels, folder, args, log, header["packages"])
            say("train", summary(facts, labels))


def labels_of(args: argparse.Namespace, settings: Train) -> Labels:
    """What is learned from: all labels, or those of the images of one half."""
    extra_masks = settings.multi_mask.enabled
    if args.half is None:
        return Labels(args.labels, extra_masks=extra_masks)
    halves = partial(half_of, seed=args.seed)
    return Labels(args.labels, extra_masks=extra_masks, counts=lambda i: halves(i) == args.half)


def leave(
    engine: Engine,
    settings: Train,
    labels: Labels,
    folder: Path,
    args: argparse.Namespace,
    log: str,
    packages: Mapping[str, str],
) -> dict[str, Any]:
    """Write the outputs, and remove the work in progress.

    Returns
    -------
    The facts about the training.
    """
    stock = {name: getattr(args, f"out_stock_{name}") for name in STOCK}
    write_stock(engine.stock_model(settings, folder / MODEL), log, **stock)
    with replacing(args.out_model) as temporary:
        shutil.copyfile(folder / MODEL, temporary)
    facts = facts_of_training(settings, labels, log, packages)
    write_text(args.out_facts, json.dumps(facts, indent=1) + "\n")
    write_text(args.out_log, log)
    remove_parts(folder)
    return facts


def _parser() -> argparse.ArgumentParser:
    parser = parser_of(__doc__, "train")
    for flag in (*FLAGS, *(f"out-stock-{name}" for name in STOCK)):
        parser.add_argument(f"--{flag}", type=Path, required=True)
    for flag in ("val-image-folder", "val-annotations"):
        parser.add_argument(f"--{flag}", type=Path, help="of the images to look at")
    parser.add_argument("--follow-links", action="store_true", help="links may leave the folders")
    parser.add_argument("--reading", default="{}", help="JSON: prepare.orientation and .depth")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tensorboard", type=Path, help="folder of its event files; else none")
    parser.add_argument("--half", type=int, choices=HALVES, help="of the images; default: all")
    parser.add_argument("--settings", default="{}", help="JSON of the config section `train`")
    return parser


def check_arguments(args: argparse.Namespace, settings: Train) -> None:
    """Flags that go together; raises ValueError."""
    if settings.evaluate_every and args.val_annotations is None:
        raise ValueError(
            "train.evaluate_every looks at validation images, and there are none. Give dataset.val "
            "(--val-annotations), or set it to 0."
        )
    if (args.val_image_folder is None) != (args.val_annotations is None):
        raise ValueError("--val-image-folder and --val-annotations go together. Give both or none.")


def validation_of(args: argparse.Namespace, settings: Train, labels: Labels) -> Validation | None:
    """What is looked at during the training; None where nothing is asked for, so nothing is read.

    Raises
    ------
    ValueError : the classes differ from those of the labels, or an image cannot be taken.
    """
    if not settings.evaluate_every:
        return None
    split = read_coco(args.val_annotations, annotated=False)
    check_categories(labels.categories, split, args.val_annotations)
    reading = json.loads(args.reading)
    check_images(split, args.val_image_folder, reading, follow_links=args.follow_links)
    truth = scoring_truth(args.val_annotations)
    return Validation(split.images, args.val_image_folder, truth, settings.evaluate_every)


def _provenance(settings: Train, seed: int, engine: Engine) -> dict[str, Any]:
    """Facts of the output; paths of files are left out, their checksums tell more."""
    digest = sha256_of(Path(settings.weights)) if settings.weights else None
    return provenance_of(
        "stages.train",
        settings=provenance_values(settings),
        seed=seed,
        packages=engine.PACKAGES,
        built=engine.BUILT,
        code=code_of("stages.train", ENGINES[settings.engine].module),
        weights_sha256=digest,
        **_config_facts(settings),
    )


def _config_facts(settings: Train) -> dict[str, Any]:
    """Checksums of the files that a user's network is described in, where it is."""
    digests = [sha256_of(path) for path in config_files(settings.config)]
    return {"config_sha256": digests} if digests else {}


def trained(
    engine: Engine,
    settings: Train,
    labels: Labels,
    folder: Path,
    args: argparse.Namespace,
    device: torch.device,
    header: dict[str, Any],
    team: Team,
    validation: Validation | None,
) -> str:
    """Train into `folder`, unless an interrupted run had finished training there.

    Returns
    -------
    The log.
    """
    model, finished = folder / MODEL, folder / LOG
    if model.exists() and finished.exists():
        return finished.read_text(encoding="utf-8")
    log = engine.train(
        settings,
        labels,
        model,
        image_folder=args.image_folder,
        device=device,
        seed=args.seed,
        header=header,
        team=team,
        validation=validation,
        events=args.tensorboard,
    )
    if team.leads:
        write_text(finished, log)
    return log


def summary(facts: dict[str, Any], labels: Labels) -> Sentence:
    """The closing sentence of the log."""
    return (
        f"{facts['images']} images, {facts['annotations']} annotations, "
        f"{labels.without_objects} images without any left out{hooks_told(facts)}, "
        f"{facts['steps']} steps, last loss {facts['last_loss']:.4f}."
    )


if __name__ == "__main__":
    run("train", main)
