"""A small PartWorld with surrogate bags, for tests of learning without a trained SAM.

The bags are made by perturbing ground-truth masks, which no stage may do: they are for tests only.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pytest
import torch

from stages import fit_refine, fit_select, refine, select
from stages.geometry.masks import masks_to_rles, rle_areas, rle_boxes
from stages.geometry.points import uniform_point
from stages.partworld.dataset import categories, write_png
from stages.partworld.scenes import Instance, Scene, render_scene
from stages.segmenters.tiny import build_vit_tiny
from stages.tables.categories import CATEGORIES
from stages.tables.images import IMAGES
from stages.tables.proposals import PROPOSALS
from stages.tables.table import table_of, write_table
from stages.tables.weak_labels import WEAK_LABELS

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
        given = {
            **paths,
            "device": "cpu",
            "threads": 1,
            "sam": json.dumps({"sam": self.sam}),
            **more,
        }
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
    image_id: int, instance_id: int, masks: np.ndarray, rng: np.random.Generator
) -> list[dict[str, Any]]:
    rles = masks_to_rles(masks)
    boxes, areas = rle_boxes(rles), rle_areas(rles)
    return [
        {
            "image_id": image_id,
            "instance_id": instance_id,
            "proposal_id": number,
            "prompt_kind": "point",
            "prompt_index": 0,
            "mask_index": number,
            "box": boxes[number].tolist(),
            "area": int(areas[number]),
            "rle": rle["counts"],
            "height": masks.shape[1],
            "width": masks.shape[2],
            "sam_score": float(rng.uniform(0.4, 0.6)),
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
    ids = {"image_id": image_id, "instance_id": instance_id, "category_id": item.category_id}
    return {**ids, "kind": "point", "x": point[0], "y": point[1], "box": None}


def _write_tables(
    folder: Path, images: int, labels: list[dict[str, Any]], proposals: list[dict[str, Any]]
) -> None:
    ids = list(range(1, images + 1))
    names = [f"{i}.png" for i in ids]
    rows = {"image_id": ids, "file_name": names, "height": [256] * images, "width": [256] * images}
    table = table_of(IMAGES, {**rows, "shard": [i % 2 for i in range(images)]})
    write_table(folder / "images.parquet", table, IMAGES, {})
    classes = {
        "category_id": [entry["id"] for entry in categories()],
        "name": [entry["name"] for entry in categories()],
        "supercategory": [entry["supercategory"] for entry in categories()],
    }
    write_table(folder / "categories.parquet", table_of(CATEGORIES, classes), CATEGORIES, {})
    weak = pa.Table.from_pylist(labels, WEAK_LABELS.schema)
    write_table(folder / "weak_labels.parquet", weak, WEAK_LABELS, {})
    for shard in (0, 1):
        mine = [row for row in proposals if (row["image_id"] - 1) % 2 == shard]
        table = pa.Table.from_pylist(mine, PROPOSALS.schema)
        write_table(folder / f"proposals-{shard}.parquet", table, PROPOSALS, {})


@pytest.fixture(scope="session")
def random_sam(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Settings of a tiny SAM with random weights: section `propose`."""
    path = tmp_path_factory.mktemp("sam") / "tiny.pth"
    torch.manual_seed(1)
    torch.save(build_vit_tiny().state_dict(), path)
    return {"model": "vit_tiny", "checkpoint": str(path)}


@pytest.fixture(scope="session")
def small_world(tmp_path_factory: pytest.TempPathFactory, random_sam: dict[str, Any]) -> World:
    """Six images; never write into its folder."""
    return build_world(tmp_path_factory.mktemp("world"), 6, sam=random_sam)


@pytest.fixture(scope="session")
def world_builder() -> Callable[..., World]:
    """`build_world`, for a test that needs its own world."""
    return build_world


SMALL = {  # settings of section select that train in seconds
    "psm": {
        "features": {"channels": 16, "hidden": 32, "roi_size": 3},
        "training": {"epochs": 3, "batch_images": 2, "warmup": 2, "checkpoint_every": 2},
    }
}
SMALL_REFINE = {
    "prm": {"npg": {"background": 20}, "training": SMALL["psm"]["training"]},
    "vote": {"enabled": False},
    "zoom": {"enabled": False},
}


@dataclass(frozen=True)
class Run:
    """A world and what the four programs made of it, shard by shard."""

    world: World
    folder: Path

    @property
    def selections(self) -> list[Path]:
        return [self.folder / f"selections-{shard}.parquet" for shard in (0, 1)]

    @property
    def refinements(self) -> list[Path]:
        return [self.folder / f"refinements-{shard}.parquet" for shard in (0, 1)]


def run_select(run: Run, settings: dict[str, Any]) -> None:
    """Train PSM and choose, both shards."""
    text, folder = json.dumps(settings), run.folder
    out = {"out": folder / "select.pt", "out_log": folder / "select.jsonl"}
    fit_select.main(run.world.flags(**out, settings=text))
    for shard in (0, 1):
        flags = {"model": folder / "select.pt", "out": run.selections[shard], "settings": text}
        select.main(run.world.flags(shards=(shard,), shard=f"000{shard}-of-0002", **flags))


def run_refine(run: Run, settings: dict[str, Any], select_settings: dict[str, Any]) -> None:
    """Train PRM and refine, both shards, after `run_select`."""
    texts = {"settings": json.dumps(settings), "select_settings": json.dumps(select_settings)}
    out = {"out": run.folder / "refine.pt", "out_log": run.folder / "refine.jsonl"}
    flags = run.world.flags(select_model=run.folder / "select.pt", **out, **texts)
    fit_refine.main([*flags, "--selections", *map(str, run.selections)])
    for shard in (0, 1):
        out = {"model": run.folder / "refine.pt", "out": run.refinements[shard], **texts}
        flags = run.world.flags(shards=(shard,), shard=f"000{shard}-of-0002", **out)
        refine.main([*flags, "--selections", str(run.selections[shard])])


@pytest.fixture(scope="session")
def small_run(small_world: World, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """All four programs on the small world; never write into its folder."""
    run = Run(small_world, tmp_path_factory.mktemp("run"))
    run_select(run, SMALL)
    run_refine(run, SMALL_REFINE, SMALL)
    return run
