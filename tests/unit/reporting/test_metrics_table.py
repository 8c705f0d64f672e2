"""The printed table: all twelve numbers, VOC's with their grid, classes by name."""

from typing import Any

import pytest

from stages.metrics.coco_ap import NUMBERS, detector_ap
from stages.metrics.curves import VOC_IOUS as IOUS
from stages.reporting.metrics_table import metrics_table
from tests.detections import perturbed, squares

TRUTH = squares(images=3, objects=4, seed=2)
DETECTOR = detector_ap(TRUTH, perturbed(TRUTH, seed=3), recall_points=11)
ABSENT = {"label_quality": None, "bms_rules": None, "training": None, "detector": None}


def table(**more: Any) -> list[str]:
    names = {"1": "person", "2": "a long name", "3": "car"}  # 4 has none
    return metrics_table({**ABSENT, "categories": names, **more}).splitlines()


def test_nothing_measured_is_said() -> None:
    assert [line.split(":")[0] for line in table() if line] == ["Label quality", "Detector"]


def test_what_agreement_would_drop_stands_there_where_boxes_were_given() -> None:
    curve = {"half_open": [0.1, 0.2, 0.3, 0.4], "authors": [0.5, 0.6, 0.7, 1.0]}
    found = {"n": 12, "thresholds": [0.75, 0.85, 0.9, 0.95], **curve}
    lines = table(box_agreement=found)
    start = next(k for k, line in enumerate(lines) if line.startswith("Share of 12 masks"))
    assert lines[start + 1].split()[-4:] == ["0.75", "0.85", "0.9", "0.95"]
    assert lines[start + 2].split() == ["half-open", "0.100", "0.200", "0.300", "0.400"]
    assert lines[start + 3].split()[-4:] == ["0.500", "0.600", "0.700", "1.000"]
    assert table(box_agreement=None) == table()


def test_all_twelve_numbers_stand_in_a_row_for_boxes_and_for_masks() -> None:
    lines = table(detector=DETECTOR)
    head = next(k for k, line in enumerate(lines) if line.split() == list(NUMBERS))
    for line, kind in zip(lines[head + 1 : head + 3], ("bbox", "segm"), strict=True):
        label, *cells = line.split()
        assert label == {"bbox": "box", "segm": "mask"}[kind]
        wanted = [DETECTOR[kind][name] for name in NUMBERS]
        assert cells == ["-" if value is None else f"{value:.3f}" for value in wanted]


def test_voc_numbers_stand_under_the_name_of_their_grid() -> None:
    lines = table(detector=DETECTOR)
    head = next(k for k, line in enumerate(lines) if line.split() == list(IOUS))
    assert "at 11 recalls" in lines[head - 1]
    assert lines[head + 2].split()[1:] == [f"{DETECTOR['voc']['segm'][name]:.3f}" for name in IOUS]


def test_each_class_has_a_line_with_its_name_objects_and_two_numbers() -> None:
    lines = table(detector=DETECTOR)
    head = next(k for k, line in enumerate(lines) if line.startswith("class "))
    rows = [line.rsplit(maxsplit=3) for line in lines[head + 1 :]]
    assert [row[0].strip() for row in rows] == ["person", "a long name", "car", "4"]
    assert [int(row[1]) for row in rows] == list(DETECTOR["objects_per_class"].values())
    assert sum(int(row[1]) for row in rows) == 12
    assert float(rows[0][3]) == pytest.approx(DETECTOR["segm"]["per_class"]["1"], abs=5e-4)
    assert rows[3][1:] == ["0", "-", "-"]  # a class without objects


def test_a_detector_without_mask_truth_has_dashes_for_masks() -> None:
    boxes = {**DETECTOR, "segm": None, "voc": {**DETECTOR["voc"], "segm": None}}
    lines = table(detector=boxes)
    masks = [line.split()[1:] for line in lines if line.startswith("mask ")]
    assert [set(cells) for cells in masks] == [{"-"}, {"-"}]
    assert all(line.endswith("-") for line in lines if line.startswith("person"))
