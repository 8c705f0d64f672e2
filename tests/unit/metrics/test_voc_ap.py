"""mAP at one IoU against a slow loop over classes, images and detections, with every grid."""

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from stages.geometry.boxes import box_iou, xywh_to_xyxy
from stages.geometry.masks import rle_iou
from stages.metrics.coco_ap import detector_ap
from stages.metrics.voc_ap import IOUS, voc_ap
from tests.detections import perturbed, squares

TRUTH = squares(images=6, objects=5, seed=3)
FOUND = perturbed(TRUTH, seed=4)


def overlap(kind: str, found: dict[str, Any], goal: dict[str, Any]) -> float:
    if kind == "segm":
        return float(rle_iou([found["segmentation"]], [goal["segmentation"]])[0, 0])
    boxes = [np.array([entry["bbox"]], dtype=float) for entry in (found, goal)]
    return float(box_iou(*map(xywh_to_xyxy, boxes))[0, 0])


def slow_ap(kind: str, goals: list[Any], found: list[Any], iou: float, points: int) -> float:
    """Of one class: match from the surest on, then read the falling curve point by point."""
    hits, taken = [], set[int]()
    for result in sorted(found, key=lambda entry: -entry["score"]):
        best, place = iou, None
        for number, goal in enumerate(goals):
            if goal["image_id"] == result["image_id"] and number not in taken:
                seen = overlap(kind, result, goal)
                if seen >= best:
                    best, place = seen, number
        hits.append(place is not None)
        if place is not None:
            taken.add(place)
    curve = [
        (sum(hits[:count]) / len(goals), sum(hits[:count]) / count)
        for count in range(1, len(hits) + 1)
    ]
    heights = []
    for point in np.linspace(0, 1, points):
        reached = [precision for recall, precision in curve if recall >= point]
        heights.append(max(reached, default=0.0))
    return float(np.mean(heights))


def slow_map(kind: str, results: Sequence[dict[str, Any]], iou: float, points: int) -> float:
    values = []
    for category in TRUTH["categories"]:
        goals = [e for e in TRUTH["annotations"] if e["category_id"] == category["id"]]
        found = [e for e in results if e["category_id"] == category["id"]]
        if goals:
            values.append(slow_ap(kind, goals, found, iou, points))
    return float(np.mean(values))


@pytest.mark.parametrize("kind", ["bbox", "segm"])
@pytest.mark.parametrize(
    ("objects", "value"), [(0, None), (5, 0.0)], ids=["no objects", "no results"]
)
def test_nothing_to_find_is_none_and_nothing_found_is_0(
    kind: str, objects: int, value: float | None
) -> None:
    truth = squares(images=2, objects=objects, seed=0)
    assert voc_ap(truth, [], kind=kind) == dict.fromkeys(IOUS, value)


@pytest.mark.parametrize("kind", ["bbox", "segm"])
@pytest.mark.parametrize("points", [11, 101, 1001])
def test_each_number_is_that_of_a_slow_loop(kind: str, points: int) -> None:
    seen = voc_ap(TRUTH, FOUND, kind=kind, recall_points=points)
    for name, iou in IOUS.items():
        assert seen[name] == pytest.approx(slow_map(kind, FOUND, iou, points), abs=1e-12), name


@pytest.mark.parametrize("kind", ["bbox", "segm"])
@pytest.mark.parametrize("points", [11, 101, 1001])
def test_a_stricter_iou_never_has_a_higher_number(kind: str, points: int) -> None:
    seen = voc_ap(TRUTH, FOUND, kind=kind, recall_points=points)
    values = [seen[name] for name in IOUS]
    assert values == sorted(values, reverse=True)
    assert values[0] > values[-1]


def test_grids_differ_so_the_result_names_its_grid() -> None:
    rough, fine = (detector_ap(TRUTH, FOUND, recall_points=points)["voc"] for points in (11, 1001))
    assert (rough["recall_points"], fine["recall_points"]) == (11, 1001)
    assert rough["segm"]["mAP50"] != fine["segm"]["mAP50"]


def test_the_coco_grid_gives_the_numbers_of_coco() -> None:
    seen = detector_ap(TRUTH, FOUND)
    for kind in ("bbox", "segm"):
        assert seen["voc"][kind]["mAP50"] == pytest.approx(seen[kind]["AP50"], abs=1e-12)
        assert seen["voc"][kind]["mAP75"] == pytest.approx(seen[kind]["AP75"], abs=1e-12)


def test_nothing_that_came_in_is_changed() -> None:
    truth, found = copy.deepcopy(TRUTH), copy.deepcopy(FOUND)
    detector_ap(truth, found)
    assert truth == TRUTH
    assert found == FOUND


def test_truth_without_masks_has_no_mask_numbers() -> None:
    truth = copy.deepcopy(TRUTH)
    for entry in truth["annotations"]:
        del entry["segmentation"]
    seen = detector_ap(truth, FOUND)
    assert seen["segm"] is None
    assert seen["voc"]["segm"] is None
    assert seen["voc"]["bbox"]["mAP50"] > 0
