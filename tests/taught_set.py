"""Drawn diamonds of two colours, with boxes, and what `tests.colour_teacher` proposes for them.

The teacher's ellipse covers the corners of a box, which the colour of its class does not.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from stages.geometry.masks import masks_to_rles, rle_areas, rle_boxes
from stages.geometry.soft_masks import soft_of
from stages.partworld.dataset import write_png
from stages.photographs.reading import digest_of
from stages.runtime.doors import Method
from stages.settings.propose import Propose
from stages.settings.refine import Refine
from stages.settings.section import from_values
from stages.tables.categories import CATEGORIES
from stages.tables.images import IMAGES
from stages.tables.proposals import PROPOSALS
from stages.tables.selections import SELECTIONS
from stages.tables.table import rows_table, write_table
from stages.tables.weak_labels import WEAK_LABELS
from tests.colour_teacher import teacher_chances

HEIGHT, WIDTH = 74, 90  # px; neither is a multiple of 4
COLOURS = {10: (200, 60, 50), 20: (50, 70, 210)}
TEACHER = Method("tests.colour_teacher", fit="tests.colour_teacher")  # for the door
NAME = "boxcaseg"  # in the door; its own segmenter steps aside
SMALL = {"prototypes": 3, "start": {"images": 4, "pixels": 12, "passes": 2}}
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class TaughtSet:
    """Paths of a drawn set, and its true masks by instance_id."""

    folder: Path
    truth: dict[int, np.ndarray]
    shards: int

    def files(self, name: str) -> list[Path]:
        """Shards of a table."""
        names = [f"{name}-{k:04d}-of-{self.shards:04d}.parquet" for k in range(self.shards)]
        return [self.folder / name for name in names]

    def args(self, out: Path, *, seed: int = 0) -> argparse.Namespace:
        """What program fit_refine has read from its flags."""
        return argparse.Namespace(
            image_folder=self.folder,
            images=self.folder / "images.parquet",
            weak_labels=self.folder / "weak_labels.parquet",
            categories=self.folder / "categories.parquet",
            proposals=self.files("proposals"),
            selections=self.files("selections"),
            propose_model=self.folder / "teacher.pt",
            device="cpu",
            seed=seed,
            out=out,
            out_log=out.with_suffix(".jsonl"),
        )


def propose() -> Propose:
    """Section `propose`, whose segmenter is the teacher once it is behind the door."""
    return from_values(Propose, {"segmenter": NAME}, "propose")


def refine(block: dict[str, Any], **shared: Any) -> Refine:
    """Section `refine` with this block `sim`."""
    return from_values(Refine, {"method": "sim", "sim": block, **shared}, "refine")


def log_of(path: Path) -> list[dict[str, Any]]:
    """The lines of a fitting's log."""
    return [json.loads(line) for line in path.with_suffix(".jsonl").read_text().splitlines()]


def build_taught_set(folder: Path, *, images: int = 6, shards: int = 2) -> TaughtSet:
    """Draw into `folder`: in each image one diamond of each class."""
    rng = np.random.default_rng(4)
    truth: dict[int, np.ndarray] = {}
    photographs, labels, proposals = Rows(), Rows(), Rows()
    for image_id in range(1, images + 1):
        picture = rng.normal(110, 8, (HEIGHT, WIDTH, 3)).clip(0, 255).astype(np.uint8)
        for place, category_id in enumerate(COLOURS):
            instance_id = 10 * image_id + place
            mask = _diamond(rng, 2 + 44 * place)
            picture[mask] = (COLOURS[category_id] + rng.normal(0, 6, (mask.sum(), 3))).clip(0, 255)
            truth[instance_id] = mask
            labels.append(_label(image_id, instance_id, category_id, mask))
            proposals.append(proposal(image_id, instance_id, labels[-1]["box"]))
        write_png(folder / f"{image_id}.png", picture)
        photographs.append(_image(folder, image_id, shards))
    write(folder, photographs, labels, proposals, shards)
    return TaughtSet(folder, truth, shards)


def _diamond(rng: np.random.Generator, left: int) -> np.ndarray:
    width, height = int(rng.integers(26, 40)), int(rng.integers(30, 60))
    top = int(rng.integers(2, HEIGHT - height))
    x, y = left + width // 2, top + height // 2
    corners = np.array([[x, top], [left + width, y], [x, top + height], [left, y]])
    canvas = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    return cv2.fillConvexPoly(canvas, corners, 1) > 0


def _label(image_id: int, instance_id: int, category_id: int, mask: np.ndarray) -> dict[str, Any]:
    row = {"image_id": image_id, "label_id": instance_id, "instance_id": instance_id}
    row |= {"bag_id": instance_id, "category_id": category_id, "kind": "box", "status": "given"}
    return {**row, "box": rle_boxes(masks_to_rles(mask[None]))[0].tolist()}


def _image(folder: Path, image_id: int, shards: int) -> dict[str, Any]:
    row = {"image_id": image_id, "file_name": f"{image_id}.png", "height": HEIGHT, "width": WIDTH}
    row |= {"shard": image_id % shards, "orientation": 1, "black": None, "white": None}
    return {**row, "digest": digest_of((folder / f"{image_id}.png").read_bytes())}


def proposal(image_id: int, bag_id: int, asked: Sequence[float]) -> dict[str, Any]:
    """Row of table `proposals`: the teacher's answer to a box."""
    chances = teacher_chances(asked, HEIGHT, WIDTH)
    (rle,) = masks_to_rles((chances > 0.5)[None])
    box = rle_boxes([rle])[0]
    row = {"image_id": image_id, "bag_id": bag_id, "proposal_id": 0, "prompt_kind": "box"}
    row |= {"prompt_id": 0, "mask_index": 0, "box": box.tolist(), "rle": rle["counts"]}
    row |= {"area": int(rle_areas([rle])[0]), "soft": soft_of(chances, box), "height": HEIGHT}
    return {**row, "width": WIDTH, "predicted_iou": 0.75, "stability": 1.0, "valid": True}


def unanswered(row: dict[str, Any]) -> dict[str, Any]:
    """The row of a box for which the teacher found no positive."""
    (empty,) = masks_to_rles(np.zeros((1, HEIGHT, WIDTH), dtype=np.uint8))
    box = [row["box"][0], row["box"][1], row["box"][0] + 1, row["box"][1] + 1]
    nothing = {"box": box, "area": 0, "rle": empty["counts"], "soft": None, "valid": False}
    return {**row, **nothing, "predicted_iou": 0.0}


def selection(row: dict[str, Any], category_id: int = 10) -> dict[str, Any]:
    """Row of table `selections` that chooses a proposal."""
    ids = {name: row[name] for name in ("image_id", "bag_id", "proposal_id")}
    score = row["predicted_iou"]
    return {**ids, "category_id": category_id, "score": score, "selected": True, "bag_score": score}


def write(folder: Path, photographs: Rows, labels: Rows, proposals: Rows, shards: int) -> None:
    """The tables, and a file in the teacher's place."""
    (folder / "teacher.pt").write_bytes(b"teacher")
    classes = [
        {"category_id": k, "name": f"class {k}", "supercategory": ""} for k in (*COLOURS, 30)
    ]
    for name, record, rows in (
        ("images", IMAGES, photographs),
        ("weak_labels", WEAK_LABELS, labels),
        ("categories", CATEGORIES, classes),
    ):
        write_table(folder / f"{name}.parquet", rows_table(record, rows), record, {"seed": 0})
    for number in range(shards):
        mine = [row for row in proposals if row["image_id"] % shards == number]
        shard = f"{number:04d}-of-{shards:04d}"
        chosen = [selection(row) for row in mine]
        for name, record, rows in (
            ("proposals", PROPOSALS, mine),
            ("selections", SELECTIONS, chosen),
        ):
            path = folder / f"{name}-{shard}.parquet"
            write_table(path, rows_table(record, rows), record, {"seed": 0, "shard": shard})
