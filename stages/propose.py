"""propose: SAM's masks for every weak label, one Parquet shard per job.

In come images and weak labels; out goes table `proposals`: for each instance its bag of masks with
box, area, SAM's own score and stability. SAPNet, Sec. 3.1 and 4.2 (no code of it was published).
Departures, each a config entry: the bag may be widened by prompts inside and around the first
masks, and stray components are removed from SAM's masks.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from stages.geometry.masks import rle_boxes
from stages.photographs.reading import image_path, read_rgb
from stages.runtime.device import leased
from stages.runtime.program import Sentence, parser_of, run, say
from stages.runtime.progress import Progress
from stages.runtime.provenance import provenance_of
from stages.segmenters.answers import Answer
from stages.segmenters.derived import Question
from stages.segmenters.runner import Runner
from stages.segmenters.sam_loading import checked_sha256, load_sam
from stages.settings.propose import Propose
from stages.settings.readers import chosen
from stages.settings.section import from_json, provenance_values
from stages.tables.in_parts import write_in_parts
from stages.tables.proposals import PROPOSALS
from stages.tables.streams import shard_images
from stages.tables.table import empty_table, read_table, rows_by_image
from stages.tables.weak_labels import WEAK_LABELS


def proposal_rows(
    image: dict[str, Any],
    labels: pa.Table,
    bags: list[list[tuple[Question, Answer]]],
) -> pa.Table:
    """Table `proposals` of one image; an empty mask gets a box of one pixel about the point."""
    rows = [
        {
            "image_id": image["image_id"],
            "instance_id": label["instance_id"],
            "proposal_id": number,
            "prompt_kind": question.kind,
            "prompt_index": question.index,
            "mask_index": answer.slot,
            "box": _box(answer, label, image),
            "area": answer.area,
            "rle": answer.rle["counts"],
            "height": image["height"],
            "width": image["width"],
            "sam_score": answer.sam_score,
            "stability": answer.stability,
            "valid": answer.area > 0,
        }
        for label, bag in zip(labels.to_pylist(), bags, strict=True)
        for number, (question, answer) in enumerate(bag)
    ]
    return pa.Table.from_pylist(rows, schema=PROPOSALS.schema)


def _box(answer: Answer, label: dict[str, Any], image: dict[str, Any]) -> list[float]:
    if answer.area:
        return [float(v) for v in rle_boxes([answer.rle])[0]]
    x, y = min(int(label["x"]), image["width"] - 1), min(int(label["y"]), image["height"] - 1)
    return [x, y, x + 1, y + 1]


class ImageProposer:
    """Rows of one image: reads it, asks SAM, writes down the bags."""

    def __init__(self, runner: Runner, folder: Path, images: pa.Table, labels: pa.Table):
        self.runner, self.folder = runner, folder
        self.images = {row["image_id"]: row for row in images.to_pylist()}
        self.labels = rows_by_image(labels)

    def __call__(self, image_id: int) -> pa.Table:
        """Table `proposals` of one image; empty for an image without labels."""
        if image_id not in self.labels:
            return empty_table(PROPOSALS)
        image, labels = self.images[image_id], self.labels[image_id]
        pixels = read_rgb(image_path(self.folder, image["file_name"]))
        points = np.stack([labels.column("x").to_numpy(), labels.column("y").to_numpy()], axis=1)
        ids = labels.column("instance_id").to_pylist()
        return proposal_rows(image, labels, self.runner.bags(pixels, points, ids))


def main(argv: Sequence[str] | None) -> None:
    """Command line of the stage."""
    parser = parser_of(__doc__, "propose")
    for flag in ("image-folder", "images", "weak-labels", "out"):
        parser.add_argument(f"--{flag}", type=Path, required=True)
    parser.add_argument("--shard", required=True, help="such as 0003-of-0128")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--settings", default="{}", help="JSON of the config section `propose`")
    args = parser.parse_args(argv)
    settings = from_json(Propose, args.settings, "propose")
    torch.set_num_threads(args.threads)
    checkpoint = Path(settings.sam.checkpoint)
    facts = _provenance(settings, args.seed, checked_sha256(checkpoint, settings.sam.sha256))
    images = shard_images(args.images, args.shard)
    labels = read_table(args.weak_labels, WEAK_LABELS)
    with leased(args.device) as device:
        sam = load_sam(settings.sam.model, checkpoint, settings.sam.sha256, device)
        runner = Runner(sam, settings, seed=args.seed)
        ids = images.column("image_id").to_pylist()
        table = write_in_parts(
            args.out,
            PROPOSALS,
            ids,
            ImageProposer(runner, args.image_folder, images, labels),
            provenance=facts,
            chunk=settings.chunk,
            progress=Progress("propose", len(ids)),
            inputs=(args.weak_labels,),
        )
    say("propose", summary(table, len(ids)))


def _provenance(settings: Propose, seed: int, sha256: str) -> dict[str, Any]:
    """Facts of the output; the path of the weight file is left out, its checksum tells more."""
    values = chosen("propose", provenance_values(settings))
    packages = ("torch", "segment_anything", "pycocotools", "opencv-python-headless", "numpy")
    return provenance_of(
        "stages.propose", settings=values, seed=seed, packages=packages, model_sha256=sha256
    )


def summary(table: pa.Table, images: int) -> Sentence:
    """The closing sentence of the log."""
    instances = len(set(table.column("instance_id").to_pylist()))
    empty = len(table) - sum(table.column("valid").to_pylist())
    return f"{images} images, {instances} instances, {len(table)} proposals, {empty} empty."


if __name__ == "__main__":
    run("propose", main)
