"""train: a detector learns from the pseudo-labels and predicts the validation images.

In come images and a COCO file of labels; out go the weights, a log with one line of JSON per step,
and, where there is a validation split, COCO results on its images (`[]` where there is none). Of
the validation file nothing but its images and classes is read. SAPNet, Sec. 4.1 and Table 1
(retraining; the paper has SOLOv2 and Mask R-CNN). A killed training goes on from its checkpoint and
ends with the same weights, bit by bit on the CPU.
"""

import argparse
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from stages.engines.labels import Labels
from stages.engines.torchvision import PACKAGES, open_model, predict, train
from stages.files.atomic import replacing, write_text
from stages.files.images import image_path, read_size
from stages.files.parts import parts_folder, remove_parts
from stages.files.program import Progress, parser_of, run, say
from stages.files.provenance import provenance_of, sha256_of
from stages.learning.device import leased
from stages.learning.trainer import load_model, save_model
from stages.readers.coco import CocoFile, read_coco
from stages.settings.section import from_json, to_values
from stages.settings.train import Train


def main(argv: Sequence[str] | None) -> None:
    """Command line of the stage."""
    args = _parser().parse_args(argv)
    settings = from_json(Train, args.settings, "train")
    check_arguments(args, settings)
    torch.set_num_threads(args.threads)
    labels = Labels(args.labels)
    split = read_coco(args.val_annotations, annotated=False) if args.val_annotations else None
    if split:
        check_categories(labels, split, args.val_annotations)
        check_images(split, args.val_image_folder, args.val_annotations)
    facts = {**_provenance(settings, args.seed), "categories": labels.categories}
    folder = parts_folder(args.out_model, facts, labels.image_ids, inputs=[args.labels])
    with leased(args.device) as device:
        model = open_model(settings, len(labels.categories), device, seed=args.seed)
        log = trained(model, labels, args.image_folder, settings, folder, facts, seed=args.seed)
        found = write_predictions(args, model, split, labels)
    save_model(args.out_model, model, facts)
    write_text(args.out_log, log)
    remove_parts(folder)
    say("train", summary(labels, log, split, found))


def _parser() -> argparse.ArgumentParser:
    parser = parser_of(__doc__, "train")
    for flag in ("image-folder", "labels", "out-model", "out-log", "out-predictions"):
        parser.add_argument(f"--{flag}", type=Path, required=True)
    for flag in ("val-image-folder", "val-annotations"):
        parser.add_argument(f"--{flag}", type=Path, help="of the images to predict")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--settings", default="{}", help="JSON of the config section `train`")
    return parser


def check_arguments(args: argparse.Namespace, settings: Train) -> None:
    """Rules that span several keys or flags; raises ValueError."""
    if (args.val_image_folder is None) != (args.val_annotations is None):
        raise ValueError("--val-image-folder and --val-annotations go together. Give both or none.")
    if settings.norm == "frozen_batch" and not settings.weights:
        raise ValueError(
            "train.norm: frozen_batch learns nothing without trained statistics. Set train.weights "
            "to a torchvision ResNet file, or train.norm to group."
        )
    if settings.short_side > settings.long_side:
        raise ValueError(
            f"train.short_side {settings.short_side} is more than train.long_side "
            f"{settings.long_side}. Swap them."
        )


def check_categories(labels: Labels, split: CocoFile, path: Path) -> None:
    """Raise ValueError when a class that is trained is unknown to the validation file."""
    known = {entry["id"]: entry["name"] for entry in split.categories}
    for category in labels.categories:
        if known.get(category["id"]) != category["name"]:
            raise ValueError(
                f"{path}: class {category['id']} is {known.get(category['id'])!r} here, but "
                f"{category['name']!r} in the labels. Both files need the same categories."
            )


def check_images(split: CocoFile, folder: Path, path: Path) -> None:
    """Look at the headers of the validation images before hours of training, not after.

    Raises
    ------
    ValueError : an image is missing, undecodable, or of another size than the file says.
    """
    for entry in split.images:
        size = read_size(image_path(folder, entry["file_name"]))
        if size != (entry["height"], entry["width"]):
            raise ValueError(
                f"image {entry['id']}: {size} px in the file, {(entry['height'], entry['width'])} "
                f"in {path}. Give the images that the annotations were made for."
            )


def _provenance(settings: Train, seed: int) -> dict[str, Any]:
    """Facts of the output; the path of the weight file is left out, its checksum tells more."""
    values = to_values(settings)
    path = values.pop("weights")
    digest = sha256_of(Path(path)) if path else None
    return provenance_of(
        "stages.train", settings=values, seed=seed, packages=PACKAGES, weights_sha256=digest
    )


def trained(
    model: nn.Module,
    labels: Labels,
    image_folder: Path,
    settings: Train,
    folder: Path,
    facts: dict[str, Any],
    *,
    seed: int,
) -> str:
    """Train `model`, or load it where an interrupted run had finished training.

    Returns
    -------
    The log.
    """
    done = folder / "model.pt"
    if done.exists():
        model.load_state_dict(load_model(done)[0])
        return (folder / "log.jsonl").read_text(encoding="utf-8")
    log = train(model, labels, image_folder, settings, folder=folder, seed=seed)
    write_text(folder / "log.jsonl", log)
    save_model(done, model, facts)
    return log


def write_predictions(
    args: argparse.Namespace, model: nn.Module, split: CocoFile | None, labels: Labels
) -> int:
    """Write the COCO results on the validation images; returns their number."""
    if split is None:
        write_text(args.out_predictions, "[]\n")
        return 0
    category_ids = [category["id"] for category in labels.categories]
    progress = Progress("train", len(split.images), "validation images")
    results = predict(model, split.images, args.val_image_folder, category_ids)
    return write_results(args.out_predictions, results, progress)


def write_results(path: Path, results: Iterable[list[dict[str, Any]]], progress: Progress) -> int:
    """Write results image by image, one per line; returns their number."""
    count = 0
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write("[")
        for found in results:
            for result in found:
                file.write((",\n" if count else "\n") + json.dumps(result, allow_nan=False))
                count += 1
            progress.step()
        file.write("\n]\n")
    return count


def summary(labels: Labels, log: str, split: CocoFile | None, found: int) -> str:
    """The closing sentence of the log."""
    last = json.loads(log.splitlines()[-1])
    return (
        f"{len(labels.image_ids)} images, {labels.annotations} annotations, "
        f"{labels.without_objects} images without any left out, {last['step']} steps, "
        f"last loss {last['loss']:.4f}; {len(split.images) if split else 0} validation images, "
        f"{found} detections."
    )


if __name__ == "__main__":
    run("train", main)
