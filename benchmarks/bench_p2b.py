"""How well P2BNet's boxes fit objects: of a model that fit_prompt has trained, beside plain ways.

    python -m benchmarks.bench_p2b results/demo/fit_prompt/model.pt results/demo/prepare \
        results/demo/partworld/train results/demo/propose/shard-*.parquet

Looks at images whose true boxes are known, such as PartWorld's, and prints for each way to make a
box of a point the mean IoU with the true box, the share of boxes with an IoU of 0.5 or more, and
the mean IoU of objects by size (sides under and over 64 px). The ways are
* cbp, pbr, pbr x 2, ...: the network's, after so many rounds of refinement;
* sam_top1: the box of SAM's surest mask of the point, where proposals are given;
* mean box: a square about the point, of the mean side of all true boxes, which nobody knows;
* best coarse: the best of the boxes that the network chooses among, likewise.
Nothing is trained, and nothing is written.
"""

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch

from stages.geometry.boxes import box_area, box_iou, xywh_to_xyxy
from stages.learning.model_file import load_model
from stages.learning.point_bags import PointBags, point_bags
from stages.methods.kit import LookingKit
from stages.methods.prompters.p2b import P2b, opened_prompter
from stages.mil import p2b
from stages.settings.fit_prompt import FitPrompt
from stages.settings.prompters.p2b import Settings
from stages.settings.propose import Propose
from stages.settings.section import from_json, from_values
from stages.tables.categories import CATEGORIES
from stages.tables.images import IMAGES
from stages.tables.proposals import PROPOSALS, own_answers
from stages.tables.table import boxes_of, read_table, read_tables, rows_by_image
from stages.tables.weak_labels import WEAK_LABELS

SMALL = 64.0**2  # px^2
FITS = 0.5  # IoU
COLUMNS = ("image_id", "bag_id", "prompt_kind", "derived", "box", "predicted_iou")


@dataclass(frozen=True, slots=True)
class Known:
    """The pointed objects of an image, and their true boxes, (n, 4) xyxy px."""

    row: Mapping[str, Any]
    bags: PointBags
    truth: np.ndarray


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("model", type=Path)
    parser.add_argument("prepare", type=Path, help="folder of the stage")
    parser.add_argument("world", type=Path, help="with images/ and annotations.json")
    parser.add_argument("proposals", type=Path, nargs="*", help="tables of stage propose")
    parser.add_argument("--rounds", type=int, default=3, help="of refinement, at most")
    parser.add_argument("--propose-settings", default="{}", help="JSON of the section `propose`")
    parser.add_argument("--embeddings", type=Path, help="folder in which they are kept, or none")
    parser.add_argument("--count", type=int, help="of how many images; all")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    began = time.process_time()
    network, images = opened(args), known_images(args)[: args.count]
    truth = np.concatenate([image.truth for image in images])
    print(f"{len(images)} images, {len(truth)} objects")
    for rounds in range(args.rounds + 1):
        network.rounds = rounds
        found = np.concatenate([network.boxes(image.row, image.bags) for image in images])
        print(told(("cbp", "pbr")[min(rounds, 1)] + f" x {rounds}" * (rounds > 1), found, truth))
    for name, found in plain(images, truth, network, args.proposals):
        print(told(name, found, truth))
    print(f"{time.process_time() - began:.0f} CPU seconds")


def opened(args: argparse.Namespace) -> P2b:
    """The network, with the settings that stand in its file."""
    _, header = load_model(args.model)
    rows = read_table(args.prepare / "categories.parquet", CATEGORIES).to_pylist()
    kit = LookingKit(
        image_folder=args.world / "images",
        classes={row["category_id"]: row["name"] for row in rows},
        propose=from_json(Propose, args.propose_settings, "propose"),
        fit=from_values(FitPrompt, header["settings"], "fit_prompt"),
        model=args.model,
        embeddings=args.embeddings,
        seed=0,
    )
    return opened_prompter(Settings(), kit, torch.device("cpu"))


def known_images(args: argparse.Namespace) -> list[Known]:
    """The images with points, by id."""
    coco = json.loads((args.world / "annotations.json").read_text())
    true = {entry["id"]: entry["bbox"] for entry in coco["annotations"]}
    rows = read_table(args.prepare / "images.parquet", IMAGES).to_pylist()
    labels = read_table(args.prepare / "weak_labels.parquet", WEAK_LABELS)
    own, order = rows_by_image(labels), dict[int, int]()
    for number, entry in enumerate(sorted(coco["categories"], key=lambda entry: entry["id"])):
        order[entry["id"]] = number
    bags = [(row, point_bags(row, own[i], order)) for row in rows if (i := row["image_id"]) in own]
    return [
        Known(row, found, xywh_to_xyxy(np.array([true[bag_id] for bag_id in found.bag_ids])))
        for row, found in bags
        if found.bag_ids
    ]


def plain(
    images: Sequence[Known], truth: np.ndarray, network: P2b, proposals: Sequence[Path]
) -> Iterator[tuple[str, np.ndarray]]:
    """Names of the other ways, and their boxes of all objects."""
    if proposals:
        boxes = sam_top1(read_tables(proposals, PROPOSALS, columns=COLUMNS))
        keys = [
            (image.row["image_id"], bag_id) for image in images for bag_id in image.bags.bag_ids
        ]
        yield "sam_top1", np.stack([boxes[key] for key in keys])
    side = float(np.sqrt(box_area(truth)).mean())
    points = np.concatenate([image.bags.points.numpy() for image in images])
    yield "mean box", np.concatenate([points - side / 2, points + side / 2], axis=1)
    yield "best coarse", np.concatenate([best_coarse(image, network) for image in images])


def sam_top1(rows: pa.Table) -> dict[tuple[int, int], np.ndarray]:
    """The box of the surest mask of each point, by image and bag."""
    own = rows.filter(pa.array(own_answers(rows)))
    own = own.filter(pc.equal(own.column("prompt_kind"), "point")).sort_by("predicted_iou")
    keys = zip(own.column("image_id").to_pylist(), own.column("bag_id").to_pylist(), strict=True)
    return dict(zip(keys, boxes_of(own), strict=True))  # of a bag's several the last, the surest


def best_coarse(image: Known, network: P2b) -> np.ndarray:
    """(n, 4): of the boxes of each point the one that fits best."""
    keys = network.settings.coarse
    boxes = p2b.coarse_boxes(
        image.bags.points,
        image.bags.size,
        scales=keys.scales,
        ratios=keys.ratios,
        shift=keys.shift,
    ).numpy()
    pairs = zip(boxes, image.truth, strict=True)
    return np.stack([own[box_iou(own, true[None])[:, 0].argmax()] for own, true in pairs])


def told(name: str, boxes: np.ndarray, truth: np.ndarray) -> str:
    """A line of the table: boxes and truth (n, 4), in the same order."""
    ious = np.array([box_iou(a[None], b[None])[0, 0] for a, b in zip(boxes, truth, strict=True)])
    small = box_area(truth) < SMALL
    parts = [own.mean() if len(own) else float("nan") for own in (ious[small], ious[~small])]
    fits = (ious >= FITS).mean()
    return (
        f"{name:12} {ious.mean():.3f}  fits {fits:.3f}  small {parts[0]:.3f}  large {parts[1]:.3f}"
    )


if __name__ == "__main__":
    main()
