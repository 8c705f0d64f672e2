"""Prototypes against tests/golden/boxes.json, slow loops and by hand."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.box_supervision.prototypes import (
    assigned,
    averaged,
    image_sums,
    moved,
    pixel_sums,
    seeded,
    sinkhorn,
)
from stages.box_supervision.semantic_map import is_filled, unit_vectors

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "boxes.json").read_text())
CASES = GOLDEN["sinkhorn_assignment"]["cases"]
UPDATE = GOLDEN["prototype_update"]
RULE = {"epsilon": 0.05, "iterations": 3}


def slow(scores: np.ndarray, epsilon: float, iterations: int) -> np.ndarray:
    """The plan without logarithms, one number after the other."""
    count, length = scores.shape
    plan = [[math.exp(scores[n, k] / epsilon) for k in range(length)] for n in range(count)]
    for _ in range(iterations):
        for k in range(length):
            total = sum(row[k] for row in plan)
            for row in plan:
                row[k] /= total * length
        for row in plan:
            total = sum(row)
            for k in range(length):
                row[k] /= total * count
    return np.array(plan) * count


def cosines(seed: int, count: int, length: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return unit_vectors(rng.normal(size=(count, 6))) @ unit_vectors(rng.normal(size=(length, 6))).T


def test_no_pixel_is_assigned_to_nothing() -> None:
    assert sinkhorn(np.zeros((0, 3))).shape == (0, 3)
    assert assigned(np.zeros((0, 3))).tolist() == []


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_golden_plans(case: dict[str, Any]) -> None:
    rule = {"epsilon": case["epsilon"], "iterations": case["iterations"]}
    scores = np.array(case["scores_NxL"])
    seen = sinkhorn(scores, **rule)
    np.testing.assert_allclose(seen, case.get("Q_NxL", case.get("Q_NxL_log_domain")), atol=1e-5)
    np.testing.assert_allclose(seen.sum(axis=1), 1)
    if "column_sums_per_prototype" in case:
        np.testing.assert_allclose(seen.sum(axis=0), case["column_sums_per_prototype"], atol=1e-4)
    wanted = case.get("argmax", case.get("argmax_log_domain"))
    assert assigned(scores, **rule).tolist() == wanted


def test_transport_deals_pixels_to_more_prototypes_than_likeness_does() -> None:
    case = CASES[0]
    scores = np.array(case["scores_NxL"])
    assert scores.argmax(axis=1).tolist() == case["plain_argmax_without_transport"] == [0] * 6
    assert set(assigned(scores).tolist()) == {0, 1, 2}


@pytest.mark.parametrize(("count", "length"), [(1, 1), (2, 5), (7, 3), (60, 10)])
def test_plans_are_those_of_a_loop(count: int, length: int) -> None:
    scores = cosines(count, count, length)
    for rule in (RULE, {"epsilon": 0.5, "iterations": 1}, {"epsilon": 0.1, "iterations": 20}):
        np.testing.assert_allclose(sinkhorn(scores, **rule), slow(scores, **rule), atol=1e-9)


def test_with_many_iterations_prototypes_get_equal_shares() -> None:
    plan = sinkhorn(cosines(4, 50, 5), epsilon=0.5, iterations=200)
    np.testing.assert_allclose(plan.sum(axis=0), 10, atol=1e-6)


def test_a_pixel_alone_goes_to_the_prototype_that_is_most_like_it() -> None:
    """Its plan has equal shares, which rounding makes unequal."""
    for seed in range(40):
        scores = cosines(seed, 1, 7)
        assert assigned(scores).tolist() == scores.argmax(axis=1).tolist()


def golden_pixels() -> tuple[np.ndarray, np.ndarray]:
    mask = np.array(UPDATE["pixel_mask_HW"]) > 0
    return np.array(UPDATE["features_HWD_l2"])[mask], np.array(UPDATE["old_prototypes_LD_class1"])


def test_golden_update() -> None:
    features, old = golden_pixels()
    scores = features @ old.T
    np.testing.assert_allclose(scores, UPDATE["scores_NxL"], atol=1e-6)
    assert assigned(scores).tolist() == UPDATE["assignment"]
    sums, counts = image_sums(features, old, **RULE)
    assert counts.tolist() == [3, 2]
    centroids = sums / counts[:, None]
    np.testing.assert_allclose(centroids, UPDATE["centroid_plain_mean_LD"], atol=1e-6)
    normalised = UPDATE["centroid_sum_then_l2_LD"]
    np.testing.assert_allclose(unit_vectors(centroids), normalised, atol=1e-6)
    np.testing.assert_allclose(averaged(old, sums, counts), normalised, atol=1e-6)
    for gamma in (0.999, 0.9):
        wanted = UPDATE[f"spec_update_momentum_{gamma}_l2_on_feature_axis"]
        seen = moved(old, sums, counts, gamma=gamma)
        np.testing.assert_allclose(seen, wanted, atol=1e-6)
        np.testing.assert_allclose(np.linalg.norm(seen, axis=1), 1)


def test_sums_are_those_of_a_loop() -> None:
    rng = np.random.default_rng(2)
    features, own = rng.normal(size=(30, 4)), rng.integers(0, 5, 30)
    sums, counts = pixel_sums(features, own, 6)
    for place in range(6):
        mine = [features[n] for n in range(30) if own[n] == place]
        assert counts[place] == len(mine)
        np.testing.assert_allclose(sums[place], sum(mine, np.zeros(4)))
    assert counts[5] == 0


def test_a_prototype_without_pixels_stays() -> None:
    old = np.array([[1.0, 0], [0, 1]])
    sums, counts = np.array([[0.0, 0], [-2, 0]]), np.array([0, 2])
    assert moved(old, sums, counts, gamma=0.5)[0].tolist() == [1, 0]
    assert averaged(old, sums, counts).tolist() == [[1, 0], [-1, 0]]


def test_pixels_that_cancel_each_other_move_nothing() -> None:
    old = np.array([[0.6, 0.8]])
    assert averaged(old, np.zeros((1, 2)), np.array([2])).tolist() == old.tolist()


def test_one_that_was_never_found_gets_no_pixel() -> None:
    features = unit_vectors(np.random.default_rng(3).normal(size=(12, 3)))
    prototypes = np.array([[1.0, 0, 0], [0, 0, 0], [0, 1, 0]])
    sums, counts = image_sums(features, prototypes, **RULE)
    assert counts[1] == 0
    assert counts.sum() == 12
    np.testing.assert_allclose(sums.sum(axis=0), features.sum(axis=0))
    for nothing in (
        image_sums(features, np.zeros((2, 3)), **RULE),
        image_sums(features[:0], prototypes, **RULE),
    ):
        assert not nothing[0].any()
        assert not nothing[1].any()


@pytest.mark.parametrize(
    ("count", "wanted"), [(0, 0), (1, 1), (3, 3), (200, 4)], ids=["none", "one", "few", "many"]
)
def test_a_start_has_as_many_prototypes_as_there_are_pixels(count: int, wanted: int) -> None:
    features = unit_vectors(np.random.default_rng(0).normal(size=(count, 5)))
    seen = seeded(features, 4, np.random.default_rng(1))
    assert seen.shape == (4, 5)
    assert is_filled(seen).sum() == wanted
    for row in seen[is_filled(seen)]:
        assert (np.abs(features - row).max(axis=1) < 1e-12).any()  # a pixel


def test_equal_pixels_are_one_start_and_those_without_direction_none() -> None:
    features = np.zeros((6, 3), dtype=np.float32)
    features[:4, 0] = 1
    features[4, 1] = 1
    seen = seeded(features, 4, np.random.default_rng(0))
    assert sorted(seen.tolist()) == [[0, 0, 0], [0, 0, 0], [0, 1, 0], [1, 0, 0]]


def test_a_start_has_one_prototype_in_each_of_some_heaps() -> None:
    rng = np.random.default_rng(5)
    heaps = np.repeat(np.eye(6)[:4], 50, axis=0)
    features = unit_vectors(heaps + rng.normal(scale=0.02, size=heaps.shape))
    seen = seeded(features, 4, rng)
    assert sorted(seen.argmax(axis=1).tolist()) == [0, 1, 2, 3]
