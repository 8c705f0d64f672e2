"""Labels scored as detections: perfect ones have AP 1, and scores that know their errors help."""

from typing import Any

import numpy as np
import pytest

from stages.geometry.masks import masks_to_rles
from stages.metrics.ablation import ablation
from stages.metrics.label_ap import label_ap
from tests.measured import measured

CATEGORIES = [{"id": 1, "name": "a"}]


def _mask(x0: int, x1: int) -> Any:
    pixels = np.zeros((1, 40, 60), dtype=bool)
    pixels[0, 5:35, x0:x1] = True
    return masks_to_rles(pixels)[0]


def _entry(number: int, x0: int, x1: int, **more: Any) -> dict[str, Any]:
    box = [x0, 5, x1 - x0, 30]
    ids = {"id": number, "image_id": number, "category_id": 1}
    return {**ids, "bbox": box, "segmentation": _mask(x0, x1), **more}


def _truth(count: int = 4) -> dict[str, Any]:
    images = [{"id": number, "height": 40, "width": 60} for number in range(1, count + 1)]
    objects = [_entry(number, 5, 35, area=900, iscrowd=0) for number in range(1, count + 1)]
    return {"images": images, "categories": CATEGORIES, "annotations": objects}


def _labels(scores: list[float], wrong: int = 0) -> list[dict[str, Any]]:
    """A label of each object; the first `wrong` of them lie elsewhere."""
    places = [(40, 50) if number < wrong else (5, 35) for number in range(len(scores))]
    return [
        _entry(number + 1, *place, score=score)
        for number, (place, score) in enumerate(zip(places, scores, strict=True))
    ]


def test_no_labels_have_no_ap() -> None:
    found = label_ap(_truth(), [])
    assert (found["labels"], found["segm"]["AP"], found["bbox"]["AP"]) == (0, 0, 0)


def test_perfect_labels_have_all_of_it() -> None:
    found = label_ap(_truth(), _labels([0.1, 0.9, 0.5, 0.4]))
    assert (found["labels"], found["segm"]["AP"], found["bbox"]["AP"]) == (4, 1, 1)


def test_scores_that_know_their_errors_help() -> None:
    knowing, blind = (
        label_ap(_truth(), _labels(scores, wrong=1))["segm"]["AP"]
        for scores in ([0.1, 0.9, 0.8, 0.7], [0.9, 0.3, 0.2, 0.1])
    )
    # recall 3/4 at precision 1; or precision 3/4 at best, behind the wrong one
    assert knowing == pytest.approx(76 / 101)
    assert blind == pytest.approx(76 * 0.75 / 101)


def test_boxes_alone_have_no_mask_ap() -> None:
    truth = _truth()
    for entry in truth["annotations"]:
        del entry["segmentation"]
    found = label_ap(truth, _labels([0.5] * 4))
    assert (found["segm"], found["bbox"]["AP"]) == (None, 1)


def test_the_ablation_holds_it_side_by_side() -> None:
    runs = {
        "once": [measured({"pseudo_label": 0.5}, label_ap=value) for value in (0.4, 0.5)],
        "twice": [measured({"pseudo_label": 0.5}, label_ap=value) for value in (0.5, 0.7)],
    }
    found = ablation(runs, {"twice": "once"})
    rows = {row["name"]: row["measures"]["label_ap"] for row in found["rows"]}
    assert rows["twice"]["mean"] == pytest.approx(0.6)
    gains = found["gains"]["twice"]["gains"]["label_ap"]["all"]
    assert gains["mean"] == pytest.approx(0.15)
