"""Adaptive pseudo ground truth: golden cases, a slow loop, and what must always hold."""

import json
from typing import Any

import numpy as np
import pytest

from stages.mil.pgt import adaptive_pgt, containment, normalised_scores, top1_pgt
from tests.small_config import ROOT

GOLDEN = json.loads((ROOT / "tests/golden/weaksam.json").read_text())
NONE = np.zeros((0, 4))


def kept(case: dict[str, Any], *, norm: str = "minmax") -> list[int]:
    """Of all classes of a golden case."""
    boxes, scores = np.array(case["boxes_xyxy"], dtype=float), np.array(case["scores"])
    labels, found = np.array(case["labels"]), []
    for label in np.unique(labels):
        mine = np.flatnonzero(labels == label)
        normalised = normalised_scores(scores[mine], norm=norm)
        limits = {"score": case["tau_s"], "overlap": case["tau_o"]}
        found += mine[adaptive_pgt(boxes[mine], normalised, **limits)].tolist()
    return sorted(found)


@pytest.mark.parametrize("case", GOLDEN["adaptive_pgt"]["cases"], ids=lambda case: case["name"])
def test_the_golden_cases(case: dict[str, Any]) -> None:
    assert kept(case) == case["expected_clean"]


def test_nothing_comes_of_no_detection() -> None:
    assert len(normalised_scores(np.zeros(0), norm="minmax")) == 0
    assert adaptive_pgt(NONE, np.zeros(0), score=0.3, overlap=0.85).tolist() == []
    assert top1_pgt(np.zeros(0)).tolist() == []


@pytest.mark.parametrize(("norm", "wanted"), [("minmax", [1.0, 0.0]), ("max", [1.0, 0.9 / 0.95])])
def test_the_share_of_the_best_spares_the_least_of_good_ones(
    norm: str, wanted: list[float]
) -> None:
    np.testing.assert_allclose(normalised_scores(np.array([0.95, 0.9]), norm=norm), wanted)


@pytest.mark.parametrize("case", GOLDEN["containment_ratio"]["cases"])
def test_containment_is_the_covered_share_of_the_first_box(case: dict[str, Any]) -> None:
    boxes = np.array([case["a_xywh"], case["b_xywh"]], dtype=float)
    boxes[:, 2:] += boxes[:, :2]
    assert containment(boxes)[0, 1] == pytest.approx(case["expected"])


def test_a_box_without_area_is_covered_by_none() -> None:
    assert containment(np.array([[5.0, 5.0, 5.0, 9.0], [0.0, 0.0, 10.0, 10.0]]))[0, 1] == 0


def slow(boxes: np.ndarray, normalised: np.ndarray, score: float, overlap: float) -> list[int]:
    """The pseudo-code of the specification, box by box."""

    def covered(i: int, k: int) -> float:
        (ax, ay, bx, by), (cx, cy, dx, dy) = boxes[i], boxes[k]
        inner = max(min(bx, dx) - max(ax, cx), 0) * max(min(by, dy) - max(ay, cy), 0)
        return float(inner / ((bx - ax) * (by - ay)))

    best = max(normalised)
    candidates = [i for i in range(len(boxes)) if normalised[i] > score or normalised[i] == best]
    candidates.sort(key=lambda i: (-normalised[i], i))
    first: list[int] = []
    for i in candidates:
        if all(min(covered(i, k), covered(k, i)) < overlap for k in first):
            first.append(i)
    return sorted(i for i in first if all(covered(i, k) < overlap for k in first if k != i))


@pytest.mark.parametrize("seed", range(20))
def test_drawn_boxes_equal_the_slow_loop_in_any_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    corner = rng.integers(0, 12, (15, 2))
    boxes = np.concatenate([corner, corner + rng.integers(4, 20, (15, 2))], axis=1).astype(float)
    normalised = normalised_scores(rng.permutation(15) / 15, norm="minmax")
    found = adaptive_pgt(boxes, normalised, score=0.3, overlap=0.85)
    assert found.tolist() == slow(boxes, normalised, 0.3, 0.85)
    assert len(found) >= 1
    order = rng.permutation(15)
    again = adaptive_pgt(boxes[order], normalised[order], score=0.3, overlap=0.85)
    assert sorted(order[again].tolist()) == found.tolist()


def test_the_best_of_each_tag_is_the_baseline() -> None:
    golden = GOLDEN["top1_pgt"]
    rows = [[c, s] for c, s in golden["input"] if c in golden["image_labels"]]
    found = []
    for label in golden["image_labels"]:
        mine = [row for row in rows if row[0] == label]
        found += [mine[k] for k in top1_pgt(np.array([score for _, score in mine]))]
    assert found == golden["expected"]


def test_of_equal_scores_the_first_is_the_best() -> None:
    assert top1_pgt(np.array([0.2, 0.7, 0.7])).tolist() == [1]
