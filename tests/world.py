"""A small PartWorld with surrogate bags, for tests of learning without a trained SAM.

The bags are made by perturbing ground-truth masks, which no stage may do: they are for tests only.
"""

import itertools
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from stages import fit_refine, fit_select, refine, select
from stages.geometry.masks import masks_to_rles, rle_areas, rle_boxes
from stages.geometry.points import uniform_point
from stages.partworld.dataset import categories, write_png
from stages.partworld.scenes import Instance, Scene, render_scene
from stages.photographs.reading import digest_of
from stages.tables.categories import CATEGORIES
from stages.tables.images import IMAGES
from stages.tables.proposals import PROPOSALS
from stages.tables.table import read_table, rows_table, table_of, write_table
from stages.tables.weak_labels import TAG_BAG, WEAK_LABELS

Rows = list[dict[str, Any]]
RECORDS = {
    "images": IMAGES,
    "categories": CATEGORIES,
    "weak_labels": WEAK_LABELS,
    "proposals": PROPOSALS,
}
BAG_LEVELS = ("leaf", "part", "compound", "whole", "whole", "group")  # then the same, perturbed


@dataclass(frozen=True)
class World:
    """Paths of a small data set with proposals in two shards, and its true masks."""

    folder: Path
    sam: dict[str, Any]
    true_masks: dict[int, np.ndarray]

    def flags(self, *, shards: tuple[int, ...] = (0, 1), **more: Any) -> list[str]:
        """Command line of a program: the tables of these shards, and `more` flags."""
        paths: dict[str, Any] = {"image_folder": self.folder}
        for name in ("images", "weak_labels", "categories"):
            paths[name] = self.folder / f"{name}.parquet"
        proposals = [str(self.folder / f"proposals-{shard}.parquet") for shard in shards]
        propose = json.dumps({"sam": self.sam})
        given = {**paths, "device": "cpu", "threads": 1, "propose_settings": propose, **more}
        words = [w for k, v in given.items() for w in (f"--{k.replace('_', '-')}", str(v))]
        return [*words, "--proposals", *proposals]


def perturbed(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The mask moved by up to 4 px, then eroded or dilated by up to 2 px; never empty."""
    dx, dy = rng.integers(-4, 5, 2)
    moved = cv2.warpAffine(mask, np.float32([[1, 0, dx], [0, 1, dy]]), mask.shape[::-1])
    size = int(rng.integers(1, 4))
    change = cv2.dilate if rng.random() < 0.5 else cv2.erode
    changed = change(moved, np.ones((size, size), np.uint8))
    return changed if changed.any() else mask


def surrogate_bag(scene: Scene, point: tuple[float, float], rng: np.random.Generator) -> np.ndarray:
    """Twelve masks about a point, from ground truth of all levels: (12, h, w) uint8."""
    x, y = int(point[0]), int(point[1])
    maps = [scene.level_map(level) for level in BAG_LEVELS]
    masks = [(ids == ids[y, x]).astype(np.uint8) for ids in maps]
    bag = [*masks, *masks]
    noisy = [perturbed(mask, rng) for mask in bag]
    return np.stack([noisy[i] for i in rng.permutation(len(noisy))])


def proposal_rows(
    image_id: int, bag_id: int, masks: np.ndarray, rng: np.random.Generator, *, kind: str = "point"
) -> list[dict[str, Any]]:
    """Rows of table `proposals` of one bag, all of them answers to the label's own prompt."""
    rles = masks_to_rles(masks)
    boxes, areas = rle_boxes(rles), rle_areas(rles)
    return [
        {
            "image_id": image_id,
            "bag_id": bag_id,
            "proposal_id": number,
            "prompt_kind": kind,
            "prompt_id": 0,
            "mask_index": number,
            "box": boxes[number].tolist(),
            "area": int(areas[number]),
            "rle": rle["counts"],
            "height": masks.shape[1],
            "width": masks.shape[2],
            "predicted_iou": float(rng.uniform(0.4, 0.6)),
            "stability": 1.0,
            "valid": True,
        }
        for number, rle in enumerate(rles)
    ]


def build_world(folder: Path, images: int, *, sam: dict[str, Any]) -> World:
    """Draw scenes, points and surrogate bags into `folder`."""
    labels: list[dict[str, Any]] = []
    proposals: list[dict[str, Any]] = []
    truth: dict[int, np.ndarray] = {}
    for image_id in range(1, images + 1):
        rng = np.random.default_rng([5, image_id])
        scene = render_scene(7, "train", image_id)
        write_png(folder / f"{image_id}.png", scene.image)
        for item in (i for i in scene.instances if not i.is_crowd):
            instance_id = 100 * image_id + item.instance_id
            truth[instance_id] = scene.mask(item)
            point = uniform_point(truth[instance_id], rng)
            labels.append(_label(image_id, instance_id, item, point))
            bag = surrogate_bag(scene, point, rng)
            proposals += proposal_rows(image_id, instance_id, bag, rng)
    _write_tables(folder, images, labels, proposals)
    return World(folder, sam, truth)


def _label(
    image_id: int, instance_id: int, item: Instance, point: tuple[float, float]
) -> dict[str, Any]:
    ids = {"image_id": image_id, "label_id": instance_id, "instance_id": instance_id}
    return {
        **ids,
        "bag_id": instance_id,
        "category_id": item.category_id,
        "kind": "point",
        "x": point[0],
        "y": point[1],
        "status": "given",
    }


def _write_tables(folder: Path, images: int, labels: Rows, proposals: Rows) -> None:
    rows = [
        {
            "image_id": number,
            "file_name": f"{number}.png",
            "height": 256,
            "width": 256,
            "shard": (number - 1) % 2,
            "orientation": 1,
            "digest": digest_of((folder / f"{number}.png").read_bytes()),
        }
        for number in range(1, images + 1)
    ]
    classes = {
        "category_id": [entry["id"] for entry in categories()],
        "name": [entry["name"] for entry in categories()],
        "supercategory": [entry["supercategory"] for entry in categories()],
    }
    write_table(folder / "images.parquet", rows_table(IMAGES, rows), IMAGES, {})
    write_table(folder / "categories.parquet", table_of(CATEGORIES, classes), CATEGORIES, {})
    weak = rows_table(WEAK_LABELS, labels)
    write_table(folder / "weak_labels.parquet", weak, WEAK_LABELS, {})
    for shard in (0, 1):
        mine = [row for row in proposals if (row["image_id"] - 1) % 2 == shard]
        table = rows_table(PROPOSALS, mine)
        facts = {"shard": SHARDS[shard]}
        write_table(folder / f"proposals-{shard}.parquet", table, PROPOSALS, facts)


SHARDS = ("0000-of-0002", "0001-of-0002")
PSM = {  # block select.psm that trains in seconds
    "features": {"channels": 16, "hidden": 32, "roi_size": 3},
    "training": {"epochs": 3, "batch_images": 2, "warmup": 2, "checkpoint_every": 2},
}
SMALL_SELECT: dict[str, Any] = {"psm": PSM}
PAPER = {"vote": {"enabled": False}, "zoom": {"enabled": False}}  # the mask is a proposal
SMALL_REFINE: dict[str, Any] = {
    "prm": {"npg": {"background": 20}, "training": PSM["training"]},
    **PAPER,
}


def changed(world: World, folder: Path, **tables: Callable[[Rows], Rows]) -> World:
    """A copy of the world in `folder`, with the rows of some tables changed.

    tables : by the name of a file, such as weak_labels or proposals_0.
    """
    shutil.copytree(world.folder, folder, dirs_exist_ok=True)
    for name, change in tables.items():
        path = folder / f"{name.replace('proposals_', 'proposals-')}.parquet"
        record = RECORDS[name.partition("_0")[0].partition("_1")[0]]
        rows = change(read_table(path, record).to_pylist())
        write_table(path, rows_table(record, rows), record, {})
    return World(folder, world.sam, world.true_masks)


@dataclass(frozen=True)
class Run:
    """A world and what the four programs made of it, shard by shard."""

    world: World
    folder: Path

    @property
    def selections(self) -> list[Path]:
        return [self.folder / f"selections-{shard}.parquet" for shard in (0, 1)]

    @property
    def pseudo_labels(self) -> list[Path]:
        return [self.folder / f"pseudo-labels-{shard}.parquet" for shard in (0, 1)]

    @property
    def trails(self) -> list[Path]:
        return [self.folder / f"trail-{shard}.parquet" for shard in (0, 1)]

    def fit_select(self, settings: dict[str, Any], joint: dict[str, Any] | None = None) -> None:
        """Train PSM, or both stages, on both shards."""
        more = {"refine_settings": json.dumps(joint)} if joint else {}
        out = {"out": self.folder / "select.pt", "out_log": self.folder / "select.jsonl"}
        fit_select.main(self.world.flags(**out, settings=json.dumps(settings), **more))

    def select(self, settings: dict[str, Any], *, model: bool = True) -> None:
        """Choose in both shards."""
        more = {"model": self.folder / "select.pt"} if model else {}
        for shard, name in enumerate(SHARDS):
            flags = {"out": self.selections[shard], "settings": json.dumps(settings), **more}
            select.main(self.world.flags(shards=(shard,), shard=name, **flags))

    def fit_refine(self, settings: dict[str, Any], of_select: dict[str, Any]) -> None:
        """Train PRM on both shards."""
        out = {"out": self.folder / "refine.pt", "out_log": self.folder / "refine.jsonl"}
        texts = {"settings": json.dumps(settings), "select_settings": json.dumps(of_select)}
        flags = self.world.flags(select_model=self.folder / "select.pt", **out, **texts)
        fit_refine.main([*flags, "--selections", *map(str, self.selections)])

    def refine(
        self, settings: dict[str, Any], of_select: dict[str, Any], *, model: str | None
    ) -> None:
        """Refine both shards; model : name of the file, without its ending."""
        texts = {"settings": json.dumps(settings), "select_settings": json.dumps(of_select)}
        more = {"model": self.folder / f"{model}.pt"} if model else {}
        for shard, name in enumerate(SHARDS):
            files = {"selections": self.selections[shard], "out": self.pseudo_labels[shard]}
            files |= {"out_trail": self.trails[shard], "answers": self.folder / "answers"}
            flags = {**files, "shard": name, **texts, **more}
            refine.main(self.world.flags(shards=(shard,), **flags))


def mixed_world(world: World, folder: Path) -> World:
    """A copy of the world whose objects have, by turns, a point, a box or a mask.

    A box keeps its bag, as answers to the box; a mask has none.
    """
    kinds = dict(zip(sorted(world.true_masks), itertools.cycle(("point", "box", "mask"))))

    def labels(rows: Rows) -> Rows:
        return [_relabelled(row, kinds[row["bag_id"]], world.true_masks) for row in rows]

    def bags(rows: Rows) -> Rows:
        kept = [row for row in rows if kinds[row["bag_id"]] != "mask"]
        return [{**row, "prompt_kind": kinds[row["bag_id"]]} for row in kept]

    return changed(world, folder, weak_labels=labels, proposals_0=bags, proposals_1=bags)


def tag_world(world: World, folder: Path) -> World:
    """A copy of the world whose labels are tags, and whose images have one bag each."""

    def labels(rows: Rows) -> Rows:
        first = {(row["image_id"], row["category_id"]): row for row in reversed(rows)}
        tag = {"kind": "tag", "instance_id": None, "bag_id": TAG_BAG, "x": None, "y": None}
        return sorted(({**row, **tag} for row in first.values()), key=lambda row: row["label_id"])

    def bags(rows: Rows) -> Rows:
        places = {row["image_id"]: itertools.count() for row in rows}
        bag = {"bag_id": TAG_BAG, "prompt_kind": "grid"}
        return [{**row, **bag, "proposal_id": next(places[row["image_id"]])} for row in rows]

    return changed(world, folder, weak_labels=labels, proposals_0=bags, proposals_1=bags)


def _relabelled(
    row: dict[str, Any], kind: str, true_masks: dict[int, np.ndarray]
) -> dict[str, Any]:
    if kind == "point":
        return row
    rle = masks_to_rles(true_masks[row["instance_id"]][None])[0]
    given = {"kind": kind, "x": None, "y": None, "box": rle_boxes([rle])[0].tolist()}
    return {**row, **given, "rle": rle["counts"] if kind == "mask" else None}
