"""COCO AP: the empty case, perfect results, and numbers counted by hand."""

from typing import Any

import numpy as np
import pytest

from stages.geometry.masks import masks_to_rles
from stages.metrics.coco_ap import NUMBERS, coco_ap


def square(x: int, y: int, side: int) -> dict[str, Any]:
    mask = np.zeros((1, 64, 64), dtype=np.uint8)
    mask[0, y : y + side, x : x + side] = 1
    rle = masks_to_rles(mask)[0]
    return {
        "bbox": [x, y, side, side],
        "area": side * side,
        "segmentation": {"size": rle["size"], "counts": rle["counts"].decode()},
    }


def truth(*objects: tuple[int, int, dict[str, Any]], first_id: int = 1) -> dict[str, Any]:
    return {
        "images": [{"id": 1, "height": 64, "width": 64}, {"id": 2, "height": 64, "width": 64}],
        "categories": [{"id": 3, "name": "a"}, {"id": 5, "name": "b"}],
        "annotations": [
            {"id": first_id + k, "image_id": image, "category_id": kind, "iscrowd": 0, **shape}
            for k, (image, kind, shape) in enumerate(objects)
        ],
    }


def result(image: int, kind: int, score: float, shape: dict[str, Any]) -> dict[str, Any]:
    found = {name: shape[name] for name in ("bbox", "segmentation")}
    return {"image_id": image, "category_id": kind, "score": score, **found}


OBJECTS = [(1, 3, square(0, 0, 10)), (1, 3, square(30, 30, 20)), (2, 3, square(5, 5, 40))]


@pytest.mark.parametrize("kind", ["bbox", "segm"])
def test_an_empty_result_is_ap_0_and_an_empty_bucket_is_none(kind: str) -> None:
    numbers = coco_ap(truth(OBJECTS[0]), [], kind=kind)
    assert {numbers[name] for name in ("AP", "AP50", "AP75", "APs", "AR1", "AR100")} == {0.0}
    assert {numbers[name] for name in ("APm", "APl", "ARm", "ARl")} == {None}
    assert numbers["per_class"] == {"3": 0.0, "5": None}


@pytest.mark.parametrize("kind", ["bbox", "segm"])
@pytest.mark.parametrize("first_id", [0, 1, 100])
def test_perfect_results_have_ap_1_whatever_the_ids(kind: str, first_id: int) -> None:
    found = [result(image, label, 0.9, shape) for image, label, shape in OBJECTS]
    numbers = coco_ap(truth(*OBJECTS, first_id=first_id), found, kind=kind)
    assert numbers["AP"] == pytest.approx(1)
    assert numbers["APl"] is None
    assert set(numbers) == {*NUMBERS, "per_class"}


def test_half_of_the_objects_found_gives_half_of_the_recall_points() -> None:
    """One of two objects, exactly: precision 1 at the 51 recalls 0, 0.01 ... 0.5 of 101."""
    numbers = coco_ap(truth(*OBJECTS[:2]), [result(1, 3, 0.9, OBJECTS[0][2])], kind="segm")
    assert numbers["AP50"] == pytest.approx(51 / 101)
    assert numbers["AR100"] == pytest.approx(0.5)


def test_a_rough_box_counts_at_the_low_thresholds_only() -> None:
    """IoU of a 10 x 10 and an 8 x 10 box is 0.8: 7 of the thresholds 0.5, 0.55 ... 0.95."""
    found = {**square(0, 0, 10), "bbox": [0, 0, 8, 10]}
    numbers = coco_ap(truth(OBJECTS[0]), [result(1, 3, 0.5, found)], kind="bbox")
    assert (numbers["AP50"], numbers["AP75"]) == (pytest.approx(1), pytest.approx(1))
    assert numbers["AP"] == pytest.approx(0.7, abs=0.11)


def test_masks_are_sorted_into_sizes_by_their_own_area() -> None:
    """A false mask of 100 px^2 in a box of 40 x 40 px belongs to the small ones."""
    false = {**square(20, 20, 10), "bbox": [20, 20, 40, 40]}
    found = [result(1, 3, 0.5, OBJECTS[0][2]), result(1, 3, 0.9, false)]
    assert coco_ap(truth(OBJECTS[0]), found, kind="segm")["APs"] == pytest.approx(0.5)
    assert coco_ap(truth(OBJECTS[0]), found, kind="bbox")["APs"] == pytest.approx(1)


@pytest.mark.parametrize(("image", "kind", "words"), [(9, 3, "image_id 9"), (1, 4, "category_id")])
def test_results_of_strangers_are_refused(image: int, kind: int, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        coco_ap(truth(OBJECTS[0]), [result(image, kind, 0.5, OBJECTS[0][2])], kind="bbox")
