"""Results have COCO's format, whatever the engine, and are written whole."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from stages.engines.results import is_whole, results_of, write_part, write_results
from stages.runtime.progress import Progress


def test_no_detections_give_no_results() -> None:
    none = np.zeros(0)
    masks = np.zeros((0, 8, 9), dtype=bool)
    assert results_of(5, np.zeros((0, 4)), none.astype(int), none, masks, [3]) == []


def test_results_have_the_original_category_ids_and_coco_boxes() -> None:
    masks = np.zeros((2, 8, 9), dtype=bool)
    masks[0, 2:5, 1:4] = True
    boxes = np.array([[1, 2, 4.125, 5], [0, 0, 8, 8]], dtype=np.float32)
    scores = np.array([0.75, 0.1234567], dtype=np.float32)
    first, second = results_of(5, boxes, np.array([2, 1]), scores, masks, [30, 77])
    assert (first["image_id"], first["category_id"], second["category_id"]) == (5, 77, 30)
    assert first["bbox"] == [1.0, 2.0, 3.12, 3.0]
    assert (first["score"], second["score"]) == (0.75, 0.123457)
    np.testing.assert_array_equal(coco_mask.decode(first["segmentation"]), masks[0])
    assert not coco_mask.decode(second["segmentation"]).any()


def test_without_parts_or_results_the_list_is_empty(tmp_path: Path) -> None:
    path, empty = tmp_path / "predictions.json", tmp_path / "part.jsonl"
    write_part(empty, [[], []], Progress("test", 2))
    for parts in ([], [empty]):
        assert write_results(path, parts) == 0
        assert json.loads(path.read_text()) == []


def test_parts_together_are_a_list_with_one_result_per_line(tmp_path: Path) -> None:
    images = [[{"score": 0.5}], [], [{"score": 0.25}, {"score": 0.125}]]
    parts = [tmp_path / name for name in ("one.jsonl", "two.jsonl")]
    for part, some in zip(parts, (images[:2], images[2:]), strict=True):
        write_part(part, some, Progress("test", len(some)))
    path = tmp_path / "predictions.json"
    assert write_results(path, parts) == 3
    assert path.read_text() == '[\n{"score": 0.5},\n{"score": 0.25},\n{"score": 0.125}\n]\n'


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "emptied": lambda data: b"",
    "cut at a line": lambda data: data[: data[:-1].rfind(b"\n") + 1],
    "a line gone": lambda data: b"\n".join(data.split(b"\n")[1:]),
    "doubled": lambda data: data * 2,
    "another digit": lambda data: data.replace(b"1", b"2", 1),
    "too deep": lambda data: data + b"[" * 100_000,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_part_that_is_not_whole_is_told(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "part.jsonl"
    assert not is_whole(path)
    write_part(path, [[{"image_id": 1}, {"image_id": 21}], [{"image_id": 3}]], Progress("test", 2))
    assert is_whole(path)
    path.write_bytes(damage(path.read_bytes()))
    assert not is_whole(path)
