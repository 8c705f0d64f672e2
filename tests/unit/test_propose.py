"""propose: shards of proposals, resumed where they were cut, refused where they are wrong."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from stages import propose
from stages.geometry.masks import rle_areas, rle_boxes, rle_of
from stages.segmenters.tiny import build_vit_tiny
from stages.tables.images import IMAGES
from stages.tables.proposals import PROPOSALS
from stages.tables.table import boxes_of, read_header, read_table, table_of, write_table
from stages.tables.weak_labels import WEAK_LABELS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(1)
    torch.save(build_vit_tiny().state_dict(), tmp_path / "tiny.pth")
    rng = np.random.default_rng(0)
    for number in range(4):
        pixels = rng.integers(0, 256, (32, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    images = {
        "image_id": [0, 1, 2, 3],
        "file_name": [f"{number}.png" for number in range(4)],
        "height": [32] * 4,
        "width": [40] * 4,
        "shard": [0, 1, 0, 1],
    }
    labels = {
        "image_id": [0, 0, 1, 3],
        "instance_id": [5, 6, 2, 9],
        "category_id": [1] * 4,
        "kind": ["point"] * 4,
        "x": [3.0, 30.0, 39.9, 20.0],
        "y": [3.0, 30.0, 31.9, 20.0],
        "box": [None] * 4,
    }
    write_table(tmp_path / "images.parquet", table_of(IMAGES, images), IMAGES, {})
    write_table(tmp_path / "labels.parquet", table_of(WEAK_LABELS, labels), WEAK_LABELS, {})
    return tmp_path


def run(folder: Path, out: Path, shard: str = "0000-of-0002", **settings: Any) -> None:
    sam = {"checkpoint": str(folder / "tiny.pth"), **settings.pop("sam", {})}
    values = {"chunk": 1, "sam": sam, **settings}
    paths = {"--image-folder": folder, "--images": folder / "images.parquet"}
    paths |= {"--weak-labels": folder / "labels.parquet", "--out": out}
    words = [word for flag, path in paths.items() for word in (flag, str(path))]
    propose.main([*words, "--shard", shard, "--device", "cpu", "--settings", json.dumps(values)])


def test_propose_writes_consistent_bags(folder: Path) -> None:
    run(folder, folder / "out.parquet")
    table = read_table(folder / "out.parquet", PROPOSALS)
    rows = table.to_pylist()
    assert {row["image_id"] for row in rows} == {0}  # image 2 has no labels
    assert {row["instance_id"] for row in rows} == {5, 6}
    for row, box in zip(rows, boxes_of(table), strict=True):
        rle = rle_of(row["rle"], 32, 40)
        assert row["area"] == rle_areas([rle])[0]
        assert row["valid"] == (row["area"] > 0)
        if row["valid"]:
            assert box.tolist() == rle_boxes([rle])[0].tolist()
        assert 0 <= box[0] < box[2] <= 40
        assert 0 <= box[1] < box[3] <= 32
    for instance in (5, 6):
        ids = [row["proposal_id"] for row in rows if row["instance_id"] == instance]
        assert ids == list(range(len(ids)))


def test_propose_gives_equal_bytes_again_and_hides_no_path(folder: Path) -> None:
    run(folder, folder / "a.parquet")
    run(folder, folder / "b.parquet")
    assert (folder / "a.parquet").read_bytes() == (folder / "b.parquet").read_bytes()
    header = json.dumps(read_header(folder / "a.parquet"))
    assert str(folder) not in header
    assert '"model_sha256"' in header


def test_propose_keeps_finished_parts_after_a_crash(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(folder, folder / "whole.parquet", shard="0001-of-0002")
    asked: list[int] = []
    stock = propose.ImageProposer.__call__

    def crash_once(self: propose.ImageProposer, image_id: int) -> Any:
        asked.append(image_id)
        if asked == [1, 3]:
            raise KeyboardInterrupt
        return stock(self, image_id)

    monkeypatch.setattr(propose.ImageProposer, "__call__", crash_once)
    with pytest.raises(KeyboardInterrupt):
        run(folder, folder / "cut.parquet", shard="0001-of-0002")
    assert not (folder / "cut.parquet").exists()
    run(folder, folder / "cut.parquet", shard="0001-of-0002")
    assert asked == [1, 3, 3]
    assert (folder / "cut.parquet").read_bytes() == (folder / "whole.parquet").read_bytes()
    assert not list(folder.glob("*.parts"))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"sam": {"sha256": "0" * 64}}, "its sha256 is"),
        ({"sam": {"checkpoint": "none.pth"}}, "weight file is missing"),
        ({"prompts": [{"source": "boxes"}]}, "must be label"),
        ({"prompts": []}, "propose.prompts"),
        ({"sam": {"model": "vit_x"}}, "propose.sam.model"),
        ({"prompts": [{"source": "label", "size": 1}]}, "unknown key propose.prompts.0.size"),
    ],
)
def test_propose_refuses(folder: Path, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        run(folder, folder / "out.parquet", **settings)
