"""The benchmark of SIM's teacher: its detections, and the keys that it was trained with."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from benchmarks.bench_teacher import MOST, SCORE, detections, kept, main, settings_of
from stages.geometry.masks import masks_to_rles, written_rle
from stages.segmenters.sim_network import Seen, Teacher
from tests.teacher_set import SMALL, started

HEIGHT, WIDTH = 60, 96


def sure_teacher() -> Teacher:
    """Sure of class 7 everywhere, and of nothing else."""
    teacher = started()
    with torch.no_grad():
        teacher.head.classification_head.cls_logits.bias.copy_(torch.tensor([-20.0, 3.0]))
        teacher.head.classification_head.cls_logits.weight.zero_()
    return teacher


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """A folder of one image with one object, of class 7."""
    (tmp_path / "images").mkdir()
    pixels = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "images" / "1.png"), pixels)
    mask = np.zeros((1, HEIGHT, WIDTH), bool)
    mask[:, 10:40, 20:50] = True
    entry = {"id": 1, "image_id": 1, "category_id": 7, "iscrowd": 0, "area": 900.0}
    entry |= {"bbox": [20, 10, 30, 30], "segmentation": written_rle(masks_to_rles(mask)[0])}
    truth: dict[str, Any] = {"annotations": [entry]}
    truth["images"] = [{"id": 1, "file_name": "1.png", "height": HEIGHT, "width": WIDTH}]
    truth["categories"] = [{"id": number, "name": str(number)} for number in (1, 7)]
    (tmp_path / "annotations.json").write_text(json.dumps(truth))
    return tmp_path


def save(teacher: Teacher, path: Path, segmenter: str = "sim") -> Path:
    block = {key: value for key, value in SMALL.items() if key != "size"}  # as a training writes it
    header = json.dumps({"settings": {"segmenter": segmenter, "sim": block}})
    torch.save({"state": teacher.state_dict(), "header": header}, path)
    return path


def test_detections_lie_in_the_image_and_have_the_class_that_is_seen(
    world: Path, tmp_path: Path
) -> None:
    truth = json.loads((world / "annotations.json").read_text())
    (found,) = detections(save(sure_teacher(), tmp_path / "model.pt"), truth, world)
    assert 0 < len(found) <= MOST
    assert {row["category_id"] for row in found} == {7}
    scores = [row["score"] for row in found]
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] > SCORE
    for row in found:
        x, y, width, height = row["bbox"]
        assert x >= 0 <= y
        assert x + width <= WIDTH + 0.01
        assert y + height <= HEIGHT + 0.01
        assert row["segmentation"]["size"] == [HEIGHT, WIDTH]


def test_of_boxes_that_overlap_the_surest_of_its_class_is_kept() -> None:
    boxes = torch.tensor([[0.0, 0, 9, 9], [0, 0, 9, 10], [0, 0, 9, 9], [50, 50, 59, 59]])
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    ways = (boxes[:, 2:] - boxes[:, :2]) / 2
    logits = torch.tensor([[2.0, -9], [3, -9], [-9, 1], [-9, -9]])
    heads = {"cls_logits": logits[None], "bbox_ctrness": torch.full((1, 4, 1), 9.0)}
    heads["bbox_regression"] = torch.cat([ways, ways], 1)[None]
    empty = torch.zeros(1)
    places, classes, scores = kept(Seen(heads, empty, empty, centres, torch.ones(4), [4]))
    assert places.tolist() == [1, 2]  # of the last one nothing is likely enough
    assert classes.tolist() == [0, 1]
    assert scores == pytest.approx(torch.tensor([3.0, 1]).sigmoid().sqrt().numpy(), abs=1e-3)


def test_its_keys_stand_in_its_header(tmp_path: Path) -> None:
    settings = settings_of(save(started(), tmp_path / "model.pt"))
    assert settings.size == SMALL["training"]["sizes"]
    assert settings.mask_channels == SMALL["mask_channels"]
    with pytest.raises(ValueError, match="no teacher of SIM, but of boxcaseg"):
        settings_of(save(started(), tmp_path / "other.pt", "boxcaseg"))


def test_a_line_for_boxes_and_masks_of_each(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = save(sure_teacher(), tmp_path / "model.pt")
    main([str(world), "--teacher", f"one={model}", "--teacher", f"two={model}"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [
        *(["one", "bbox"], ["one", "segm"]),
        *(["two", "bbox"], ["two", "segm"]),
    ]
