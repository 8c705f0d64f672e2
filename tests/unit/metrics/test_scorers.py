"""hotcoco gives the arrays of pycocotools bit by bit, faster-coco-eval the numbers."""

import os
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.metrics.coco_ap import NUMBERS, coco_ap, detector_ap
from stages.metrics.scorers import (
    AUTO,
    FASTER,
    HOTCOCO,
    HOTCOCO_TESTED,
    PYCOCOTOOLS,
    backend_of,
    chosen_backend,
    scorer_of,
    scoring_packages,
)
from stages.metrics.voc_ap import IOUS
from stages.scoring.truth import scoring_truth
from tests.detections import SIDE, perturbed, shape_of, squares

Truth, Results = dict[str, Any], list[dict[str, Any]]
ARRAYS = ("precision", "recall", "scores")


def _as_coco(params: Any) -> None:
    """COCO's own parameters."""


def _as_voc(points: int) -> Callable[[Any], None]:
    def set_params(params: Any) -> None:
        params.iouThrs = np.array(list(IOUS.values()))
        params.recThrs = np.linspace(0, 1, points)
        params.areaRng, params.areaRngLbl = params.areaRng[:1], params.areaRngLbl[:1]
        params.maxDets = [100]

    return set_params


GRIDS = {"coco": _as_coco, **{f"voc {n}": _as_voc(n) for n in (11, 101, 1001)}}


def run_scorer(
    truth: Truth, results: Results, kind: str, backend: str, set_params: Callable[[Any], None]
) -> Any:
    """A scorer that was run; summarized where the parameters are COCO's."""
    scorer = scorer_of(truth, results, kind=kind, backend=backend)
    set_params(scorer.params)
    with redirect_stdout(None):
        scorer.evaluate()
        scorer.accumulate()
        if set_params is _as_coco:
            scorer.summarize()
    return scorer


def check_same_bits(truth: Truth, results: Results) -> None:
    """Whole arrays and all twelve numbers of hotcoco, against those of pycocotools."""
    for kind in ("bbox", "segm"):
        for name, set_params in GRIDS.items():
            first, second = (
                run_scorer(truth, results, kind, backend, set_params)
                for backend in (PYCOCOTOOLS, HOTCOCO)
            )
            for array in ARRAYS:
                one, other = first.eval[array], np.asarray(second.eval[array])
                assert (one.shape, one.dtype) == (other.shape, other.dtype)
                assert one.tobytes() == other.tobytes(), f"{kind} {name} {array}"
            if set_params is _as_coco:
                assert np.asarray(first.stats).tobytes() == np.asarray(second.stats).tobytes()
                assert list(first.params.catIds) == list(second.params.catIds)


def check_equal(truth: Truth, results: Results, points: int = 101) -> None:
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


def check_faster(truth: Truth, results: Results) -> None:
    """`check_equal`, where faster-coco-eval is installed."""
    pytest.importorskip("faster_coco_eval", reason="faster-coco-eval is not installed")
    check_equal(truth, results)


def crowded(seed: int) -> tuple[Truth, Results]:
    """Crowds, ties, an object with id 0, areas that are not the mask's, scores of single floats."""
    rng = np.random.default_rng(seed)
    truth = squares(images=int(rng.integers(1, 7)), objects=int(rng.integers(1, 9)), seed=seed)
    for number, entry in enumerate(truth["annotations"]):
        entry["id"] = number
        entry["iscrowd"] = int(rng.random() < 0.2)
        entry["area"] = entry["area"] * float(rng.choice([1, 1, 0.3, 2.5]))
    results = [found for k in range(rng.integers(1, 4)) for found in perturbed(truth, seed=k)]
    for found in results:
        found["bbox"] = [float(value) for value in found["bbox"] + rng.normal(0, 0.3, 4)]
        found["score"] = float(np.float32(rng.random())) if seed % 3 else rng.integers(4) / 4
    return truth, results


def tiny(seed: int) -> tuple[Truth, Results]:
    """Objects of one to a few pixels."""
    rng = np.random.default_rng(seed)
    truth = squares(images=2, objects=0, seed=seed)
    for number in range(40):
        mask = np.zeros((1, SIDE, SIDE), dtype=np.uint8)
        (y, x), (height, width) = rng.integers(0, SIDE - 4, 2), rng.integers(1, 4, 2)
        mask[0, y : y + height, x : x + width] = 1
        entry = {"id": number + 1, "image_id": number % 2 + 1, "category_id": 1, "iscrowd": 0}
        truth["annotations"].append({**entry, **shape_of(mask)})
    return truth, perturbed(truth, seed=seed)


def many() -> tuple[Truth, Results]:
    """More than 100 detections of one image."""
    truth = squares(images=1, objects=40, seed=7)
    return truth, [*perturbed(truth, seed=8), *perturbed(truth, seed=9)] * 4


def same_score() -> tuple[Truth, Results]:
    """Detections in no order but that of the file."""
    truth = squares(images=5, objects=8, seed=3)
    return truth, [{**found, "score": 0.5} for found in perturbed(truth, seed=4) * 3]


def with_ignored() -> tuple[Truth, Results]:
    """A detection beyond the small areas, before the only object: its score still has a rank."""
    truth = squares(images=2, objects=0, seed=1)
    mask = np.zeros((2, SIDE, SIDE), dtype=np.uint8)
    mask[0, :10, :10], mask[1, :80, :80] = 1, 1
    small, large = shape_of(mask[:1]), shape_of(mask[1:])
    truth["annotations"] = [{"id": 1, "image_id": 1, "category_id": 1, "iscrowd": 0, **small}]
    found = {"category_id": 1, "score": 0.5}
    return truth, [
        {**found, "image_id": 1, **small},
        {**found, "image_id": 2, "score": 0.9, **large},
    ]


CASES = {
    "nothing at all": (squares(images=2, objects=0, seed=1), []),
    "no results": (squares(images=2, objects=4, seed=1), []),
    "no objects": (
        squares(images=4, objects=0, seed=1),
        perturbed(squares(images=4, objects=3, seed=1), seed=2),
    ),
    "one object": (squares(images=1, objects=1, seed=2), perturbed(many()[0], seed=2)[:1]),
    "an ignored rank": with_ignored(),
    "ties": same_score(),
    "more than 100": many(),
    **{f"tiny {seed}": tiny(seed) for seed in range(3)},
    **{f"crowds {seed}": crowded(seed) for seed in range(12)},
}


@pytest.mark.parametrize(("truth", "results"), CASES.values(), ids=CASES)
def test_hotcoco_has_the_whole_arrays_of_pycocotools(truth: Truth, results: Results) -> None:
    check_same_bits(truth, results)


@pytest.mark.parametrize(("truth", "results"), CASES.values(), ids=CASES)
def test_faster_coco_eval_has_the_numbers(truth: Truth, results: Results) -> None:
    check_faster(truth, results)


@pytest.mark.parametrize("points", [11, 101, 1001])
def test_numbers_of_a_synthetic_set_are_equal(points: int) -> None:
    pytest.importorskip("faster_coco_eval", reason="faster-coco-eval is not installed")
    truth = squares(images=30, objects=6, seed=5)
    truth["annotations"][3]["iscrowd"] = 1
    check_equal(truth, perturbed(truth, seed=6), points)
    check_same_bits(truth, perturbed(truth, seed=6))


@pytest.mark.coco_tiny
@pytest.mark.parametrize("part", ["train2017", "val2017"])
def test_numbers_of_real_photographs_are_equal(part: str) -> None:
    path = Path(os.environ["COCO_TINY"]) / "annotations" / f"instances_{part}.json"
    truth = scoring_truth(path)
    results = perturbed(truth, seed=10)
    assert len(results) > 500
    assert any(entry["iscrowd"] for entry in truth["annotations"])
    check_same_bits(truth, results)
    check_faster(truth, results)


def _with_text(entries: Results) -> Results:
    """Copies whose masks have their counts as text, as JSON gives them."""
    texts = [entry["segmentation"]["counts"].decode("ascii") for entry in entries]
    return [
        {**entry, "segmentation": {**entry["segmentation"], "counts": text}}
        for entry, text in zip(entries, texts, strict=True)
    ]


@pytest.mark.parametrize("backend", [PYCOCOTOOLS, HOTCOCO, FASTER])
def test_counts_are_read_as_bytes_and_as_text(backend: str) -> None:
    if backend == FASTER:
        pytest.importorskip("faster_coco_eval", reason="faster-coco-eval is not installed")
    truth, results = crowded(1)
    assert all(type(found["segmentation"]["counts"]) is bytes for found in results)
    written = {**truth, "annotations": _with_text(truth["annotations"])}
    for gold in (truth, written):
        own = [entry for entry in gold["annotations"] if not entry["iscrowd"]]
        perfect = [{**entry, "score": 1.0} for entry in own]
        assert coco_ap(gold, perfect, kind="segm", backend=backend)["AR100"] == 1  # not empty masks
        for found in (results, _with_text(results)):
            scorer = run_scorer(gold, found, "segm", backend, _as_coco)
            expected = run_scorer(truth, results, "segm", PYCOCOTOOLS, _as_coco)
            np.testing.assert_allclose(scorer.stats[:12], expected.stats, rtol=0, atol=1e-12)


def test_hotcoco_leaves_what_it_is_given_as_it_was() -> None:
    truth, results = crowded(2)
    before = repr((truth, results))
    detector_ap(truth, results, backend=HOTCOCO)
    assert repr((truth, results)) == before


def test_auto_takes_hotcoco_at_the_version_that_was_tested(monkeypatch: pytest.MonkeyPatch) -> None:
    assert metadata.version("hotcoco") == HOTCOCO_TESTED
    assert chosen_backend(AUTO) == HOTCOCO
    assert scoring_packages(AUTO) == {"numpy", "pycocotools", "hotcoco"}
    assert detector_ap(*crowded(3), backend=AUTO)["scored_by"] == HOTCOCO
    monkeypatch.setattr(metadata, "version", lambda name: "0.5.0")
    assert chosen_backend(AUTO) == PYCOCOTOOLS


def test_auto_is_pycocotools_without_an_install_of_hotcoco(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    expected = {**detector_ap(*crowded(3), backend=AUTO), "scored_by": PYCOCOTOOLS}
    monkeypatch.setattr(metadata, "version", missing)
    monkeypatch.setitem(sys.modules, "hotcoco", None)
    assert scoring_packages(AUTO) == {"numpy", "pycocotools"}
    assert detector_ap(*crowded(3), backend=AUTO) == expected  # every number, to the last bit


@pytest.mark.parametrize(("name", "package"), [(FASTER, "faster-coco-eval"), (HOTCOCO, "hotcoco")])
def test_a_backend_that_is_missing_is_named(
    name: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ValueError, match=rf"pip install {package}\).*backend: pycocotools"):
        backend_of(name)
    assert backend_of(PYCOCOTOOLS)
