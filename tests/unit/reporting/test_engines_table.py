"""Engines side by side: how a training went, one table, and what cannot be compared."""

from typing import Any

import pytest

from stages.metrics.course import check_same_labels, course_of
from stages.reporting.engines_table import engines_table


def row(engine: str, **values: Any) -> dict[str, Any]:
    scores = {"AP": 0.25, "AP50": 0.5, "AP75": None}
    return {
        "engine": engine,
        "packages": {engine: "1.2"},
        "images": 3,
        "annotations": 7,
        "masks_ignored": 1,
        "steps": 20,
        "loss_at_first": 2.0,
        "loss_at_last": 0.5,
        "images_per_second": 4.0,
        "detector": {"detections": 9, "bbox": scores, "segm": None},
        **values,
    }


def test_a_training_without_a_log_is_refused() -> None:
    with pytest.raises(ValueError, match="log is empty"):
        course_of([])


def test_losses_are_means_over_a_tenth_and_the_speed_is_a_median() -> None:
    lines = [{"loss": float(20 - k), "images_per_second": float(k == 0)} for k in range(20)]
    assert course_of(lines) == {
        "loss_at_first": 19.5,
        "loss_at_last": 1.5,
        "images_per_second": 0.0,
    }
    assert course_of(lines[:1])["loss_at_last"] == 20


def test_one_engine_is_a_table_and_the_other_is_named() -> None:
    text = engines_table({"engines": [row("torchvision")], "absent": ["detectron2"]})
    assert "Trained on 3 images, 7 annotations, 1 masks ignored." in text
    assert "detectron2: not installed here, so not compared." in text
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in lines}) == 1
    cells = [cell.strip() for cell in lines[2].strip("|").split("|")]
    numbers = ["torchvision", "1.2", "20", "2.000", "0.500", "4.00"]
    assert cells == [*numbers, "25.0", "50.0", "-", "-", "-", "-", "9"]


def test_an_engine_that_was_not_scored_has_no_numbers() -> None:
    text = engines_table({"engines": [row("torchvision", detector=None)], "absent": []})
    assert text.splitlines()[-1].endswith("| - | - | - | - | - | - | - |")


def test_engines_on_other_labels_are_refused() -> None:
    check_same_labels([row("torchvision"), row("detectron2")])
    with pytest.raises(ValueError, match="detectron2 was trained on 8 annotations, torchvision on"):
        check_same_labels([row("torchvision"), row("detectron2", annotations=8)])
