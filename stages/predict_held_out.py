"""predict_held_out: what a trained detector says of the held-out images, for `evaluate`.

In come the images and classes of the held-out split, and the weights that `train` wrote; out go
COCO results, in the order of the images: `evaluate` and `compare` score them. Of the split's file
no annotation is read. Without a split the list is empty, and no detector is opened. A prediction
that was killed goes on behind its last whole part, and ends with the same bytes.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from stages.engines.before_training import check_categories, check_images
from stages.engines.engine import ENGINES, Engine, open_engine
from stages.engines.results import is_whole, write_part, write_results
from stages.formats.coco import read_coco
from stages.learning.model_file import load_model, of_header
from stages.runtime.atomic import write_text
from stages.runtime.code import code_of
from stages.runtime.device import leased
from stages.runtime.program import parser_of, run, say
from stages.runtime.progress import Progress
from stages.runtime.provenance import provenance_of, sha256_of
from stages.runtime.threads import use_threads
from stages.runtime.unfinished import parts_folder, remove_parts
from stages.settings.predict import Predict
from stages.settings.section import from_json, provenance_values, to_values
from stages.settings.train import Train

NAME = "predict_held_out"
Image = Mapping[str, Any]  # COCO's entry
Part = tuple[Path, Sequence[Image]]


def main(argv: Sequence[str] | None) -> None:
    """Command line of the stage."""
    args = _parser().parse_args(argv)
    use_threads(args.threads)
    predict = from_json(Predict, args.settings, "predict")
    train = from_json(Train, args.train_settings, "train")
    engine = open_engine(train)
    images = held_out_images(args)
    if not images:
        write_text(args.out, "[]\n")
        say(NAME, "no held-out images, 0 detections.")
        return
    decides = facts_of(args, engine, predict, train, images)
    folder = parts_folder(args.out, decides, [image["id"] for image in images])
    parts = parts_of(images, folder, predict.chunk)
    write_parts(parts, engine, train, args)
    count = write_results(args.out, [path for path, _ in parts])
    remove_parts(folder)
    say(NAME, f"{len(images)} held-out images, {count} detections.")


def _parser() -> argparse.ArgumentParser:
    parser = parser_of(__doc__, NAME)
    for flag in ("model", "out"):
        parser.add_argument(f"--{flag}", type=Path, required=True)
    for flag in ("val-image-folder", "val-annotations"):
        parser.add_argument(f"--{flag}", type=Path, help="of the images to predict")
    parser.add_argument("--follow-links", action="store_true", help="links may leave the folder")
    parser.add_argument("--reading", default="{}", help="JSON: prepare.orientation and .depth")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--settings", default="{}", help="JSON of the config section `predict`")
    parser.add_argument("--train-settings", default="{}", help="JSON of the section `train`")
    return parser


def held_out_images(args: argparse.Namespace) -> list[Image]:
    """The images of the split, each as it is called and read; empty without a split.

    Raises
    ------
    ValueError : one flag of two, no model file, other classes, or an image that cannot be taken.
    """
    if (args.val_image_folder is None) != (args.val_annotations is None):
        raise ValueError("--val-image-folder and --val-annotations go together. Give both or none.")
    if args.val_annotations is None:
        return []
    split = read_coco(args.val_annotations, annotated=False)
    learned = of_header(load_model(args.model)[1], "categories", args.model)
    check_categories(learned, split, args.val_annotations)
    reading, links = json.loads(args.reading), args.follow_links
    check_images(split, args.val_image_folder, reading, follow_links=links)
    return list(split.images)


def parts_of(images: Sequence[Image], folder: Path, chunk: int) -> list[Part]:
    """The parts in which the results are written, with the images of each."""
    starts = range(0, len(images), chunk)
    return [
        (folder / f"part-{number:06d}.jsonl", images[start : start + chunk])
        for number, start in enumerate(starts)
    ]


def write_parts(
    parts: Sequence[Part], engine: Engine, train: Train, args: argparse.Namespace
) -> None:
    """Write the parts that are not there; without one, no detector is opened."""
    for path, _ in parts:
        if path.exists() and not is_whole(path):
            say(NAME, f"{path}: a finished part is damaged, so it is made again.")
            path.unlink()
    todo = [(path, images) for path, images in parts if not path.exists()]
    total, left = (sum(len(images) for _, images in some) for some in (parts, todo))
    progress = Progress(NAME, total, "held-out images")
    if left < total:
        progress.skip(total - left)
    if not todo:
        return
    with leased(args.device) as device:
        results = engine.predict(
            train,
            args.model,
            list(chain.from_iterable(images for _, images in todo)),
            image_folder=args.val_image_folder,
            device=device,
        )
        for path, images in todo:
            write_part(path, islice(results, len(images)), progress)


def facts_of(
    args: argparse.Namespace,
    engine: Engine,
    predict: Predict,
    train: Train,
    images: Sequence[Image],
) -> dict[str, Any]:
    """All that decides the results, so that parts of others are never mixed in."""
    folder = args.val_image_folder
    return provenance_of(
        "stages.predict_held_out",
        settings=to_values(predict),
        seed=0,
        packages=engine.PACKAGES,
        built=engine.BUILT,
        code=code_of("stages.predict_held_out", ENGINES[train.engine].module),
        train_settings=provenance_values(train),
        model_sha256=sha256_of(args.model),
        images=images,
        photographs=[sha256_of(folder / image["file_name"]) for image in images],
    )


if __name__ == "__main__":
    run(NAME, main)
