"""Labels and objects matched by IoU: numbers by hand, a slow loop, and both kinds alike."""

from typing import Any

import numpy as np
import pytest

from stages.geometry.boxes import box_iou
from stages.geometry.masks import Rle, masks_to_rles, rle_boxes
from stages.metrics.matching import BOXES, COUNTED, MASKS, RATES, Matching
from stages.metrics.shapes import Shapes, no_shapes

SIDE = 60
OBJECT, PART, LARGE, AWAY = (10, 10, 30, 30), (10, 10, 20, 20), (0, 0, 50, 50), (40, 40, 50, 50)


def rectangle(box: tuple[int, ...]) -> Rle:
    pixels = np.zeros((1, SIDE, SIDE), dtype=np.uint8)
    pixels[0, box[1] : box[3], box[0] : box[2]] = 1
    return masks_to_rles(pixels)[0]


def shapes(*given: tuple[int, tuple[int, ...]]) -> Shapes:
    """Rectangles with their classes."""
    rles = [rectangle(box) for _, box in given]
    classes = np.array([category_id for category_id, _ in given], dtype=np.int64)
    return Shapes(classes, rle_boxes(rles).astype(np.float64), rles)


def counted(
    labels: Shapes, objects: Shapes, ignored: Shapes | None = None, kind: str = MASKS
) -> dict[str, Any]:
    matching = Matching(kind)
    matching.image(labels, objects, ignored or no_shapes())
    return matching.summary()


def slow_numbers(images: list[tuple[Shapes, Shapes]]) -> dict[str, float]:
    """Take the largest pair of each image and class again and again, down to 0.5."""
    matched, labels, objects, label_iou, paired = 0, 0, 0, 0.0, 0.0
    for found, goals in images:
        labels, objects = labels + len(found), objects + len(goals)
        for category_id in {*found.category_id.tolist(), *goals.category_id.tolist()}:
            mine, true = found.of_class(category_id), goals.of_class(category_id)
            rows, columns = list(range(len(mine))), list(range(len(true)))
            table = box_iou(mine.boxes, true.boxes)
            label_iou += sum(max(table[row].tolist(), default=0) for row in rows)
            while rows and columns:
                value, row, column = max((table[r, c], r, c) for r in rows for c in columns)
                if value < 0.5:
                    break
                matched, paired = matched + 1, paired + value
                rows.remove(row)
                columns.remove(column)
    precision, recall = matched / labels, matched / objects
    return {
        "matched": matched,
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / (precision + recall),
        "label_iou": label_iou / labels,
        "object_iou": paired / objects,
        "matched_iou": paired / matched,
    }


@pytest.mark.parametrize("kind", [BOXES, MASKS])
def test_nothing_has_counts_of_0_and_no_means(kind: str) -> None:
    seen = counted(no_shapes(), no_shapes(), kind=kind)
    assert {seen[name] for name in COUNTED} == {0}
    assert {seen[name] for name in (*RATES, "label_iou", "object_iou", "matched_iou")} == {None}
    assert (seen["per_class"], seen["class_mean"]["f1"]) == ({}, None)


@pytest.mark.parametrize("kind", [BOXES, MASKS])
def test_each_label_that_is_extra_has_its_kind(kind: str) -> None:
    labels = shapes((7, OBJECT), (7, PART), (7, LARGE), (7, AWAY), (8, OBJECT))
    seen = counted(labels, shapes((7, OBJECT), (9, OBJECT)), kind=kind)
    assert (seen["labels"], seen["objects"], seen["matched"]) == (5, 2, 1)
    assert (seen["missed"], seen["extra"]) == (1, 4)
    assert (seen["part"], seen["too_large"], seen["other"]) == (1, 1, 2)
    assert (seen["precision"], seen["recall"]) == (0.2, 0.5)
    assert seen["f1"] == pytest.approx(2 / 7)
    assert seen["label_iou"] == pytest.approx((1 + 0.25 + 0.16) / 5)
    assert (seen["object_iou"], seen["matched_iou"]) == (0.5, 1)
    assert list(seen["per_class"]) == ["7", "8", "9"]
    assert seen["per_class"]["8"]["precision"] == 0
    assert seen["per_class"]["9"]["precision"] is None
    assert seen["class_mean"]["precision"] == 0.25  # of 7: 9 has no labels, 8 no objects
    assert seen["class_mean"]["recall"] == 0.5


def test_masks_and_boxes_of_the_same_labels_may_differ() -> None:
    """An L has the box of its square and covers 7/16 of it."""
    pixels = np.zeros((1, SIDE, SIDE), dtype=np.uint8)
    pixels[0, 10:30, 10:15] = pixels[0, 25:30, 10:30] = 1
    ell = masks_to_rles(pixels)[0]
    label = Shapes(np.array([7]), np.array([[10.0, 10, 30, 30]]), [ell])
    assert counted(label, shapes((7, OBJECT)), kind=BOXES)["matched"] == 1
    seen = counted(label, shapes((7, OBJECT)))
    assert (seen["matched"], seen["part"]) == (0, 1)
    assert seen["label_iou"] == pytest.approx(7 / 16)


def test_two_labels_on_one_object_are_one_match_and_one_extra() -> None:
    seen = counted(shapes((7, (10, 10, 30, 28)), (7, OBJECT)), shapes((7, OBJECT)))
    assert (seen["matched"], seen["extra"], seen["other"], seen["too_large"]) == (1, 1, 0, 1)
    assert seen["matched_iou"] == 1  # the better one, whatever the order


def test_a_label_on_an_ignored_object_alone_is_not_counted() -> None:
    labels = shapes((7, AWAY), (7, OBJECT), (7, PART))
    seen = counted(labels, shapes((7, OBJECT)), shapes((7, AWAY), (7, OBJECT), (8, PART)))
    assert (seen["labels"], seen["ignored"], seen["matched"], seen["extra"]) == (2, 1, 1, 1)
    assert seen["label_iou"] == pytest.approx((1 + 0.25) / 2)
    best = Matching(MASKS).image(labels, shapes((7, OBJECT)), shapes((7, AWAY)))
    np.testing.assert_array_equal(best, [np.nan, 1, 0.25])


def test_the_best_iou_of_each_label_comes_back_in_its_place() -> None:
    matching = Matching(MASKS)
    labels = shapes((8, PART), (7, PART), (7, OBJECT), (8, AWAY))
    best = matching.image(labels, shapes((7, OBJECT), (8, PART)), no_shapes())
    assert best.tolist() == [1, 0.25, 1, 0]


@pytest.mark.parametrize("kind", [BOXES, MASKS])
@pytest.mark.parametrize("seed", range(4))
def test_numbers_are_those_of_a_slow_loop_for_rectangles(seed: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    images = []
    for _ in range(10):
        low = rng.integers(0, 14, (12, 2))
        boxes = np.concatenate([low, low + rng.integers(6, 16, (12, 2))], axis=1)
        given = [(int(rng.integers(1, 3)), tuple(box)) for box in boxes.tolist()]
        images.append((shapes(*given[:7]), shapes(*given[7:])))
    matching = Matching(kind)
    for labels, objects in images:
        matching.image(labels, objects, no_shapes())
    seen, wanted = matching.summary(), slow_numbers(images)
    assert {name: seen[name] for name in wanted} == pytest.approx(wanted)
    assert seen["extra"] == seen["part"] + seen["too_large"] + seen["other"]
    assert seen["matched"] + seen["missed"] == seen["objects"] == 50
    assert sum(entry["matched"] for entry in seen["per_class"].values()) == seen["matched"]
