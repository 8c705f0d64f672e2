"""The picture of evaluate is written for all that can be absent; equal numbers give equal bytes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from PIL import Image

from stages.metrics.calibration import Calibration
from stages.metrics.coco_ap import detector_ap
from stages.reporting.quality_figure import draw_quality
from tests.detections import perturbed, squares
from tests.matched import matched

TRUTH = squares(images=2, objects=3, seed=0)


def quality(count: int) -> dict[str, Any]:
    calibration = Calibration()
    for score, iou in np.random.default_rng(1).random((count, 2)):
        calibration.add(score, iou)
    means = {"mask_iou": 0.5, "mask_iou_50": 0.5, "mask_iou_75": 0.25}
    return {"choices": {"pseudo_label": means} if count else {}, **calibration.summary()}


def metrics(
    labels: dict[str, Any] | None, detector: dict[str, Any] | None, *, has_tables: bool = True
) -> dict[str, Any]:
    rules = {"none": 0} if has_tables else None
    return {"label_quality": labels, "detector": detector, "bms_rules": rules}


DETECTOR = detector_ap(TRUTH, perturbed(TRUTH, seed=1))
CASES = {
    "nothing": (metrics(None, None, has_tables=False), 3),
    "no truth": (metrics(None, DETECTOR), 2),
    "no labels": (metrics(quality(0), None), 3),
    "labels alone": (metrics(quality(3), None), 1),
    "boxes alone": (metrics(quality(3), {**DETECTOR, "segm": None}), 0),
    "everything": (metrics(quality(300), DETECTOR), 0),
    "matched by IoU": (matched(0, 2), 1),
    "matched by boxes alone": ({**matched(0, 2), "label_match": {**quality(0)}}, 3),
}


@pytest.mark.parametrize("name", CASES)
def test_panels_that_were_not_measured_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    numbers, absent = CASES[name]
    said = list[str]()
    write = Axes.text

    def heard(axis: Axes, x: float, y: float, text: str, **more: Any) -> Any:
        said.append(text)
        return write(axis, x, y, text, **more)

    monkeypatch.setattr(Axes, "text", heard)
    draw_quality(numbers, tmp_path / "a.png")
    assert sum("not measured" in text for text in said) == absent


@pytest.mark.parametrize("name", CASES)
def test_the_picture_has_one_size_and_equal_bytes(tmp_path: Path, name: str) -> None:
    for file in ("a.png", "b.png"):
        draw_quality(CASES[name][0], tmp_path / file)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (1600, 520)
