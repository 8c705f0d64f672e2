"""AP at IoU 0.5 by VOC's rules, against a slow loop over the whole set and numbers by hand."""

from dataclasses import dataclass

import numpy as np
import pytest

from stages.geometry.boxes import box_iou
from stages.metrics.shapes import Shapes, no_shapes
from stages.metrics.voc_ap50 import READINGS, VocAp50, average_precision, detection_hits

NO_BOXES = np.zeros((0, 4))


def shapes(boxes: np.ndarray, classes: np.ndarray, scores: np.ndarray | None = None) -> Shapes:
    return Shapes(classes, boxes, None, scores)


@dataclass
class Image:
    """Detections, true objects, ignored ones."""

    found: Shapes
    objects: Shapes
    ignored: Shapes


def drawn(seed: int) -> list[Image]:
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(12):
        low = rng.integers(0, 10, (15, 2))
        boxes = np.concatenate([low, low + rng.integers(6, 14, (15, 2))], axis=1).astype(float)
        classes = rng.integers(1, 4, 15)
        scores = rng.integers(0, 1000, 9) / 1000
        made.append(
            Image(
                shapes(boxes[:9], classes[:9], scores),
                shapes(boxes[9:13], classes[9:13]),
                shapes(boxes[13:], classes[13:]),
            )
        )
    return made


def slow_class_ap(images: list[Image], category_id: int) -> tuple[float, float]:
    """The development kit's loop: all detections by falling score, each asks its image."""
    rows = []
    for number, image in enumerate(images):
        for row in range(len(image.found)):
            if image.found.category_id[row] == category_id:
                assert image.found.scores is not None
                rows.append((-image.found.scores[row], number, row))
    taken: set[tuple[int, int]] = set()
    right, wrong, curve = 0, 0, []
    goals = [
        (number, kind, place)
        for number, image in enumerate(images)
        for kind, side in (("true", image.objects), ("ignored", image.ignored))
        for place in range(len(side))
        if side.category_id[place] == category_id
    ]
    total = sum(kind == "true" for _, kind, _ in goals)
    for _, number, row in sorted(rows):
        box = images[number].found.boxes[row]
        best, which = 0.0, None
        for where, kind, place in goals:
            side = images[where].objects if kind == "true" else images[where].ignored
            overlap = box_iou(box[None], side.boxes[place][None])[0, 0]
            if where == number and overlap > best:
                best, which = overlap, (kind, place)
        if which is not None and best >= 0.5 and which[0] == "ignored":
            continue
        if which is not None and best >= 0.5 and (number, which[1]) not in taken:
            taken.add((number, which[1]))
            right += 1
        else:
            wrong += 1
        curve.append((right / total, right / (right + wrong)))
    eleven = sum(max((p for r, p in curve if r >= k / 10), default=0) for k in range(11)) / 11
    area, last = 0.0, 0.0
    for number, (recall, _) in enumerate(curve):
        area += (recall - last) * max(p for _, p in curve[number:])
        last = recall
    return eleven, area


def test_without_objects_nothing_is_measured() -> None:
    ap = VocAp50()
    one = shapes(np.array([[0.0, 0, 9, 9]]), np.array([3]), np.array([0.5]))
    ap.image(no_shapes(), no_shapes(), no_shapes())
    ap.image(one, no_shapes(), no_shapes())
    assert ap.summary() == {
        **dict.fromkeys(READINGS),
        "n": 0,
        "detections": 1,
        "per_class": {},
    }


def test_a_class_without_detections_has_0_and_counts_in_the_mean() -> None:
    ap = VocAp50()
    box = np.array([[0.0, 0, 9, 9]])
    goals = shapes(np.repeat(box, 2, axis=0), np.array([3, 5]))
    ap.image(shapes(box, np.array([3]), np.array([0.5])), goals, no_shapes())
    seen = ap.summary()
    assert seen["per_class"]["5"] == {"ap50_11": 0, "ap50_area": 0, "n": 1, "detections": 0}
    assert seen["ap50_11"] == seen["ap50_area"] == 0.5


@pytest.mark.parametrize("seed", range(5))
def test_ap_of_each_class_is_that_of_a_slow_loop(seed: int) -> None:
    images, ap = drawn(seed), VocAp50()
    for image in images:
        ap.image(image.found, image.objects, image.ignored)
    seen = ap.summary()
    for category_id in (1, 2, 3):
        entry = seen["per_class"][str(category_id)]
        wanted = slow_class_ap(images, category_id)
        assert (entry["ap50_11"], entry["ap50_area"]) == pytest.approx(wanted)
    for name in READINGS:
        values = [entry[name] for entry in seen["per_class"].values()]
        assert seen[name] == pytest.approx(np.mean(values))
        assert 0 < seen[name] < 1


def test_two_readings_of_one_curve_by_hand() -> None:
    """Right, wrong, right of two objects: precision 1 up to recall .5, then 2/3."""
    eleven, area = average_precision(np.array([True, False, True]), 2)
    assert eleven == pytest.approx((6 * 1 + 5 * 2 / 3) / 11)
    assert area == pytest.approx(0.5 + 0.5 * 2 / 3)
    assert average_precision(np.zeros(0, dtype=bool), 2) == (0, 0)
    assert average_precision(np.ones(10, dtype=bool), 10) == pytest.approx((1, 1))


def test_a_duplicate_is_wrong_even_where_another_object_is_free() -> None:
    """The best object is asked, free or not: VOC's rule, where COCO's takes the free one."""
    goals = np.array([[0.0, 0, 10, 10], [0.0, 0, 10, 14]])
    found = np.array([[0.0, 0, 10, 10], [0.0, 0, 10, 11]])
    assert detection_hits(found, goals, NO_BOXES) == [True, False]


def test_what_lies_on_an_ignored_object_is_neither_right_nor_wrong() -> None:
    crowd = np.array([[50.0, 50, 90, 90]])
    found = np.array([[50.0, 50, 90, 88], [0.0, 0, 10, 10]])
    assert detection_hits(found, np.array([[0.0, 0, 10, 10]]), crowd) == [None, True]
    assert detection_hits(found[:1], NO_BOXES, NO_BOXES) == [False]
