"""faster-coco-eval gives the numbers of pycocotools; without it there is a sentence."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from stages.metrics.coco_ap import NUMBERS, detector_ap
from stages.metrics.scorers import FASTER, PYCOCOTOOLS, backend_of
from stages.metrics.voc_ap import IOUS
from stages.scoring.truth import scoring_truth
from tests.detections import perturbed, squares


def check_equal(truth: dict[str, Any], results: list[dict[str, Any]], points: int = 101) -> None:
    """Counts equal, every number equal to 1e-9, None where the other is None."""
    first, second = (
        detector_ap(truth, results, recall_points=points, backend=name)
        for name in (PYCOCOTOOLS, FASTER)
    )
    for kind in ("bbox", "segm"):
        pairs = [(first[kind][name], second[kind][name]) for name in NUMBERS]
        pairs += [(first["voc"][kind][name], second["voc"][kind][name]) for name in IOUS]
        assert first[kind]["per_class"].keys() == second[kind]["per_class"].keys()
        pairs += [
            (value, second[kind]["per_class"][key])
            for key, value in first[kind]["per_class"].items()
        ]
        for one, other in pairs:
            assert (one is None) == (other is None)
            assert one is None or abs(one - other) <= 1e-9
    assert first["objects_per_class"] == second["objects_per_class"]


@pytest.fixture(autouse=True)
def _there(request: pytest.FixtureRequest) -> None:
    if "without" not in request.node.name:
        pytest.importorskip("faster_coco_eval", reason="faster-coco-eval is not installed")


@pytest.mark.parametrize("objects", [0, 4], ids=["no objects", "no results"])
def test_empty_truth_and_empty_results_are_equal(objects: int) -> None:
    check_equal(squares(images=2, objects=objects, seed=1), [])


@pytest.mark.parametrize("points", [11, 101, 1001])
def test_numbers_of_a_synthetic_set_are_equal(points: int) -> None:
    truth = squares(images=30, objects=6, seed=5)
    truth["annotations"][3]["iscrowd"] = 1
    check_equal(truth, perturbed(truth, seed=6), points)


def test_more_than_100_detections_of_an_image_are_equal() -> None:
    truth = squares(images=1, objects=40, seed=7)
    check_equal(truth, [*perturbed(truth, seed=8), *perturbed(truth, seed=9)] * 2)


@pytest.mark.coco_tiny
def test_numbers_of_real_photographs_are_equal() -> None:
    path = Path(os.environ["COCO_TINY"]) / "annotations" / "instances_val2017.json"
    truth = scoring_truth(path)
    results = perturbed(truth, seed=10)
    assert len(results) > 500
    check_equal(truth, results)


def test_a_backend_that_is_missing_without_an_install_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "faster_coco_eval", None)
    with pytest.raises(ValueError, match=r"pip install faster-coco-eval.*backend: pycocotools"):
        backend_of(FASTER)
    assert backend_of(PYCOCOTOOLS)
