"""A photograph of 24 megapixels, and an image of 500 objects: answered, and within bounds."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from benchmarks.bench_scale import CHILD, SHARD

pytestmark = pytest.mark.long
ROOT = Path(__file__).resolve().parents[2]
MEBIBYTES = 1600  # of the 24 megapixels' propose: 650 are torch's, 72 the photograph itself
ONCE = {"prompts": [{"source": "label", "masks": "single"}]}


def ran(stage: str, *words: str) -> float:
    """Peak MiB of a program in a process of its own, which must succeed."""
    environment = {"STAGE": stage, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", CHILD, "-", *words],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert done.returncode == 0, done.stderr
    return float(done.stdout.split("MEASURED")[-1].split()[1]) / 1024


def proposed(folder: Path, rows: list[str], settings: dict[str, object]) -> float:
    """prepare and propose on clicks; the peak of propose in MiB."""
    (folder / "labels.csv").write_text("\n".join(["file_name,label,x,y", *rows]))
    files = [str(folder / f"{name}.parquet") for name in ("images", "labels", "classes")]
    pictures = ("--image-folder", str(folder / "images"))
    made = ("--out-images", files[0], "--out-weak-labels", files[1], "--out-categories", files[2])
    csv = str(folder / "labels.csv")
    ran("prepare", *pictures, "--annotations", csv, *made, "--shards", "1")
    tables = ("--images", files[0], "--weak-labels", files[1], "--shard", SHARD)
    outs = ("--out", str(folder / "proposals.parquet"), "--answers", str(folder / "answers"))
    return ran("propose", *pictures, *tables, *outs, "--settings", json.dumps(settings))


def photograph(folder: Path, height: int, width: int) -> None:
    """One image with a little of everything in it."""
    (folder / "images").mkdir()
    coarse = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    image = Image.fromarray(coarse).resize((width, height), Image.Resampling.BILINEAR)
    image.save(folder / "images" / "one.jpg")


def test_24_megapixels_take_a_bounded_memory(tmp_path: Path) -> None:
    photograph(tmp_path, 4000, 6000)
    rows = [f"one.jpg,thing,{x},{y}" for x in (1500, 4500) for y in (1000, 2000, 3000)]
    assert proposed(tmp_path, rows, {}) < MEBIBYTES
    sizes = pq.read_table(tmp_path / "proposals.parquet", columns=["height", "width"]).to_pylist()
    assert {(row["height"], row["width"]) for row in sizes} == {(4000, 6000)}


def test_an_image_may_have_500_objects(tmp_path: Path) -> None:
    photograph(tmp_path, 500, 625)
    rows = [f"one.jpg,thing,{x},{y}" for x in range(12, 625, 25) for y in range(12, 500, 25)]
    proposed(tmp_path, rows, ONCE)
    table = pq.read_table(tmp_path / "proposals.parquet", columns=["bag_id"])
    assert len(table.column("bag_id").unique()) == len(rows) == 500
